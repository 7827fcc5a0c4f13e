//! The SQL of this crate that is not a migration.

/// Answers one row, one byte.
pub(crate) const PING: &str = "SELECT 1";

/// One row where the database is there. Bound: its name.
pub(crate) const DATABASE_IS_THERE: &str = "SELECT name FROM system.databases WHERE name = ?";

/// Bound: the database's name, as an identifier.
pub(crate) const CREATE_DATABASE: &str = "CREATE DATABASE IF NOT EXISTS ?";

/// Bound: the database's name. A few names are enough to tell whose database it is.
pub(crate) const TABLES: &str = "SELECT name FROM system.tables WHERE database = ? ORDER BY name = 'migrations' DESC, name LIMIT 5";

/// One row for every statement of a migration that was done.
pub(crate) const CREATE_MIGRATIONS: &str = "\
CREATE TABLE IF NOT EXISTS migrations (
    version UInt32 COMMENT 'the number its file begins with',
    name String COMMENT 'its file',
    sha256 String COMMENT 'of the file, when this statement was done',
    statement UInt32 COMMENT 'its place in the file, from 1',
    statements UInt32 COMMENT 'how many the file has',
    statement_sha256 String,
    applied_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY (version, statement)";

/// What was done, in order; a statement that two programs did at once is one row here.
pub(crate) const MIGRATIONS_DONE: &str =
    "SELECT ?fields FROM migrations FINAL ORDER BY version, statement LIMIT 100000";

/// Milliseconds since 1970 by the server's clock.
pub(crate) const NOW_MILLIS: &str = "SELECT toUnixTimestamp64Milli(now64(3))";

/// The newest version of every site. Bound: how many at most.
pub(crate) const SITES: &str = "\
SELECT name, argMax(body, applied_at) AS latest, toUnixTimestamp64Milli(max(applied_at)) AS since
FROM definitions WHERE kind = 'site' GROUP BY name ORDER BY name LIMIT ?";

/// The newest version of one site. Bound: its name.
pub(crate) const SITE: &str = "\
SELECT name, argMax(body, applied_at) AS latest, toUnixTimestamp64Milli(max(applied_at)) AS since
FROM definitions WHERE kind = 'site' AND name = ? GROUP BY name";

/// Every version of one site, the newest first. Bound: its name, and how many at most.
pub(crate) const SITE_VERSIONS: &str = "\
SELECT name, body AS latest, toUnixTimestamp64Milli(applied_at) AS since
FROM definitions WHERE kind = 'site' AND name = ? ORDER BY applied_at DESC LIMIT ?";

/// Events by site. Bound, twice: the sites, then twice the moment (milliseconds since 1970) since when.
pub(crate) const RECEIVED_SINCE: &str = "\
SELECT site, count() AS events FROM (
    SELECT site FROM events WHERE site IN ?
        AND toDate(occurred_at) >= toDate(fromUnixTimestamp64Milli(?, 'UTC')) - 1
        AND received_at >= fromUnixTimestamp64Milli(?, 'UTC')
    UNION ALL
    SELECT site FROM bot_events WHERE site IN ?
        AND toDate(occurred_at) >= toDate(fromUnixTimestamp64Milli(?, 'UTC')) - 1
        AND received_at >= fromUnixTimestamp64Milli(?, 'UTC')
) GROUP BY site";

/// One row that is another whenever somebody was suppressed since.
pub(crate) const SUPPRESSIONS_VERSION: &str = "\
SELECT count() AS rows, toUnixTimestamp64Milli(max(suppressed_at)) AS latest FROM suppressions";

/// Bound: how many at most.
pub(crate) const SUPPRESSIONS: &str = "\
SELECT site, kind, value FROM suppressions FINAL ORDER BY suppressed_at DESC LIMIT ?";

/// The salts of visitors' ids, of each day the one that holds first. Bound: how many at most.
pub(crate) const VISITOR_SALTS: &str = "\
SELECT day, salt FROM visitor_salts ORDER BY day, made_at, salt LIMIT ?";

/// Bound: the first day whose salt stays, as days since 1970.
pub(crate) const DESTROY_VISITOR_SALTS: &str =
    "ALTER TABLE visitor_salts DELETE WHERE day < toDate(?)";

/// Bound: the database's name, as an identifier.
#[cfg(feature = "testing")]
pub(crate) const DROP_DATABASE: &str = "DROP DATABASE IF EXISTS ? SYNC";

/// What the embedded engine is started with: it opens its HTTP port, and the last statement never ends.
pub(crate) const SERVE: &str = "\
SYSTEM START LISTEN HTTP; \
SELECT sleepEachRow(1) FROM system.numbers SETTINGS max_block_size = 1 FORMAT Null";
