//! Migrations: once, in order, by hash, and what is said when one fails.

use store::migrate::{MIGRATIONS, MigrateError, Migration, apply, migrate};
use store::testing::TestDatabase;

const FIRST: Migration = Migration {
    version: 1,
    name: "0001_first.sql",
    sql: "CREATE TABLE IF NOT EXISTS one (x UInt8) ENGINE = MergeTree ORDER BY x;\n\
          CREATE TABLE IF NOT EXISTS two (x UInt8) ENGINE = MergeTree ORDER BY x;",
};

fn second(sql: &'static str) -> Migration {
    Migration { version: 2, name: "0002_second.sql", sql }
}

async fn tables(database: &TestDatabase) -> Vec<String> {
    let names = "SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY name";
    database.server().client().query(names).fetch_all().await.unwrap()
}

#[tokio::test]
async fn a_new_database_gets_every_migration_and_a_second_run_none() {
    let database = TestDatabase::create_empty();
    let applied = migrate(database.server()).await.unwrap();
    assert_eq!(applied.len(), MIGRATIONS.len());
    assert_eq!((applied[0].version, applied[0].name), (1, "0001_events.sql"));
    assert_eq!(
        tables(&database).await,
        [
            "bot_events",
            "definitions",
            "events",
            "identifiers",
            "migrations",
            "suppressions",
            "visitor_salts"
        ]
    );
    assert_eq!(migrate(database.server()).await.unwrap(), []);
}

#[tokio::test]
async fn two_at_once_leave_every_statement_done_and_recorded_once() {
    let database = TestDatabase::create_empty();
    let (one, other) = tokio::join!(migrate(database.server()), migrate(database.server()));
    one.unwrap();
    other.unwrap();
    assert_eq!(migrate(database.server()).await.unwrap(), []);
    let recorded: u64 = database
        .server()
        .client()
        .query("SELECT count() FROM migrations FINAL WHERE version = 1")
        .fetch_one()
        .await
        .unwrap();
    assert_eq!(recorded, 5);
}

#[tokio::test]
async fn a_file_changed_after_it_was_applied_is_named() {
    let database = TestDatabase::create_empty();
    apply(database.server(), &[FIRST]).await.unwrap();
    let changed =
        Migration { sql: "CREATE TABLE IF NOT EXISTS three (x UInt8) ENGINE = Null", ..FIRST };
    let error = apply(database.server(), &[changed]).await.unwrap_err();
    assert!(matches!(error, MigrateError::Changed { .. }), "{error:?}");
    assert!(error.to_string().contains("0001_first.sql was changed"), "{error}");
    assert_eq!(tables(&database).await, ["migrations", "one", "two"]);
}

#[tokio::test]
async fn a_failed_statement_is_told_in_full_and_a_second_run_goes_on_there() {
    let database = TestDatabase::create_empty();
    let broken = second(
        "CREATE TABLE IF NOT EXISTS three (x UInt8) ENGINE = MergeTree ORDER BY x;\n\n\
         -- the one that fails\nALTER TABLE one\n    MODIFY COLUMN nothing UInt8;\n\
         CREATE TABLE IF NOT EXISTS four (x UInt8) ENGINE = MergeTree ORDER BY x;",
    );
    let error = apply(database.server(), &[FIRST, broken]).await.unwrap_err().to_string();
    let told = "migration 0002_second.sql, statement 2 of 3 (ALTER TABLE one) failed: ";
    assert!(error.starts_with(told), "{error}");
    assert!(error.contains("nothing") && error.contains("Code: 10"), "{error}");
    assert_eq!(tables(&database).await, ["migrations", "one", "three", "two"]);

    let mended = second(
        "CREATE TABLE IF NOT EXISTS three (x UInt8) ENGINE = MergeTree ORDER BY x;\n\
         ALTER TABLE one MODIFY COLUMN x UInt8 COMMENT 'known';\n\
         CREATE TABLE IF NOT EXISTS four (x UInt8) ENGINE = MergeTree ORDER BY x;",
    );
    // Were the first statement run again, this would fail: it is no longer what it was.
    let drop = database.server().client().query("DROP TABLE three SYNC").execute();
    drop.await.unwrap();
    let applied = apply(database.server(), &[FIRST, mended]).await.unwrap();
    assert_eq!(applied.len(), 1);
    assert_eq!(tables(&database).await, ["four", "migrations", "one", "two"]);
}

#[tokio::test]
async fn a_done_statement_changed_in_a_half_applied_file_is_named() {
    let database = TestDatabase::create_empty();
    let broken = Migration {
        sql: "CREATE TABLE IF NOT EXISTS one (x UInt8) ENGINE = Null; nonsense",
        ..FIRST
    };
    apply(database.server(), &[broken]).await.unwrap_err();
    let error = apply(database.server(), &[FIRST]).await.unwrap_err().to_string();
    assert!(error.contains("0001_first.sql, statement 1 was changed"), "{error}");
}

#[tokio::test]
async fn a_database_of_something_else_is_left_alone() {
    let database = TestDatabase::create_empty();
    apply(database.server(), &[FIRST]).await.unwrap();
    database.server().client().query("DROP TABLE migrations SYNC").execute().await.unwrap();
    let error = migrate(database.server()).await.unwrap_err();
    assert!(
        matches!(&error, MigrateError::ForeignDatabase { table, .. } if table == "one"),
        "{error:?}"
    );
    assert_eq!(tables(&database).await, ["one", "two"]);
}
