//! Brings the tables up to what this program writes and reads: each migration once, in order.
//!
//! Every statement that was done is a row of `migrations`, with the hash of its file. So a run that was
//! cut off goes on where it stopped, and a file that was changed after it was applied is noticed.
//!
//! Two programs may migrate at once: every statement of a migration does nothing when it is done already
//! (`IF NOT EXISTS` and its like; a test holds this), and two rows of one statement count as one. The
//! same makes up for a program that ends between a statement and its row.

use std::time::Duration;

use clickhouse::sql::Identifier;
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::event_row::MigrationRow;
use crate::server::{QUESTION_TIMEOUT, Server, ServerError};
use crate::sql;
use crate::statement::{Statement, statements};

/// How long one statement may take: a later migration may have to rewrite columns of large tables.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(600);

/// One file of `migrations/`. Files are numbered from 1 and never changed once they were released.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// The number its name begins with.
    pub version: u32,
    /// The file's name.
    pub name: &'static str,
    /// What it holds.
    pub sql: &'static str,
}

/// Every migration of this program, in order.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "0001_events.sql",
        sql: include_str!("../migrations/0001_events.sql"),
    },
    Migration {
        version: 2,
        name: "0002_money_and_clicks.sql",
        sql: include_str!("../migrations/0002_money_and_clicks.sql"),
    },
    Migration {
        version: 3,
        name: "0003_visitor_salts.sql",
        sql: include_str!("../migrations/0003_visitor_salts.sql"),
    },
    Migration {
        version: 4,
        name: "0004_phone_meta.sql",
        sql: include_str!("../migrations/0004_phone_meta.sql"),
    },
];

/// A migration that was brought to its end by this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Its number.
    pub version: u32,
    /// Its file.
    pub name: &'static str,
}

/// Why the tables are not as this program needs them.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// ClickHouse could not be asked what is there.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The database has tables, but no migration of ours ever ran in it.
    #[error(
        "the database {database} belongs to something else: it has the table {table}; name another one in the ClickHouse address, for example http://host:8123/footfall"
    )]
    ForeignDatabase {
        /// The database.
        database: String,
        /// One of its tables.
        table: String,
    },
    /// A file is no longer what was applied.
    #[error(
        "migration {file} was changed after it was applied (SHA-256 then {then}, now {now}); restore the file, and put the change into a new migration"
    )]
    Changed {
        /// The file, or the file and the statement where a part of it was applied.
        file: String,
        /// What it was.
        then: String,
        /// What it is.
        now: String,
    },
    /// ClickHouse did not take a statement. Those before it are done and will not be run again.
    #[error("migration {file}, statement {number} of {count} ({first_line}) failed: {source}")]
    Statement {
        /// The file.
        file: &'static str,
        /// The statement's place in it, from 1.
        number: u32,
        /// How many statements the file has.
        count: u32,
        /// How the statement begins.
        first_line: String,
        /// What ClickHouse said.
        source: ServerError,
    },
}

/// Creates the database where it is missing and applies what is new in [`MIGRATIONS`].
///
/// # Errors
/// See [`MigrateError`]; what was done before the error stays done.
pub async fn migrate(server: &Server) -> Result<Vec<Applied>, MigrateError> {
    apply(server, MIGRATIONS).await
}

/// As [`migrate`], with the migrations given.
///
/// # Errors
/// See [`MigrateError`]; what was done before the error stays done.
pub async fn apply(
    server: &Server,
    migrations: &[Migration],
) -> Result<Vec<Applied>, MigrateError> {
    prepare(server).await?;
    let rows = server.client().query(sql::MIGRATIONS_DONE).fetch_all::<MigrationRow>();
    let done = server.within(QUESTION_TIMEOUT, rows).await?;
    let newest = migrations.last().map_or(0, |migration| migration.version);
    if let Some(newer) = done.last().filter(|row| row.version > newest) {
        tracing::warn!(migration = %newer.name, "the database was migrated by a newer release");
    }
    let mut applied = Vec::new();
    for migration in migrations {
        let done: Vec<_> = done.iter().filter(|row| row.version == migration.version).collect();
        if apply_one(server, migration, &done).await? {
            applied.push(Applied { version: migration.version, name: migration.name });
        }
    }
    Ok(applied)
}

/// Makes the database and the table of what was done.
async fn prepare(server: &Server) -> Result<(), MigrateError> {
    let database = server.database();
    let there = server.outside().query(sql::DATABASE_IS_THERE).bind(database);
    let there = server.within(QUESTION_TIMEOUT, there.fetch_optional::<String>()).await?;
    if there.is_none() {
        let create = server.outside().query(sql::CREATE_DATABASE).bind(Identifier(database));
        server.within(QUESTION_TIMEOUT, create.execute()).await?;
    }
    let tables = server.outside().query(sql::TABLES).bind(database).fetch_all::<String>();
    let tables = server.within(QUESTION_TIMEOUT, tables).await?;
    match tables.first() {
        Some(table) if table == "migrations" => Ok(()),
        Some(table) => Err(MigrateError::ForeignDatabase {
            database: database.to_owned(),
            table: table.clone(),
        }),
        None => {
            let create = server.client().query_raw(sql::CREATE_MIGRATIONS).execute();
            Ok(server.within(QUESTION_TIMEOUT, create).await?)
        }
    }
}

/// Runs what is left of one migration; true where something was.
async fn apply_one(
    server: &Server,
    migration: &Migration,
    done: &[&MigrationRow],
) -> Result<bool, MigrateError> {
    let statements = statements(migration.sql);
    let count = u32::try_from(statements.len()).unwrap_or(u32::MAX);
    let sha256 = sha256(migration.sql);
    let whole = done.last().filter(|row| row.statement == row.statements);
    if let Some(row) = whole {
        return if row.sha256 == sha256 {
            Ok(false)
        } else {
            Err(changed(migration.name.to_owned(), &row.sha256, sha256))
        };
    }
    for statement in statements {
        let row = MigrationRow {
            version: migration.version,
            name: migration.name.to_owned(),
            sha256: sha256.clone(),
            statement: statement.number,
            statements: count,
            statement_sha256: self::sha256(statement.text),
            applied_at: 0,
        };
        match done.iter().find(|done| done.statement == statement.number) {
            Some(done) if done.statement_sha256 == row.statement_sha256 => {}
            Some(done) => {
                let file = format!("{}, statement {}", migration.name, statement.number);
                return Err(changed(file, &done.statement_sha256, row.statement_sha256));
            }
            None => run(server, migration, &statement, row).await?,
        }
    }
    Ok(true)
}

fn changed(file: String, then: &str, now: String) -> MigrateError {
    MigrateError::Changed { file, then: then.to_owned(), now }
}

/// Runs one statement and records that it is done.
async fn run(
    server: &Server,
    migration: &Migration,
    statement: &Statement<'_>,
    row: MigrationRow,
) -> Result<(), MigrateError> {
    let count = row.statements;
    let executed = server.client().query_raw(statement.text).execute();
    let executed = server.within(STATEMENT_TIMEOUT, executed).await;
    executed.map_err(|source| MigrateError::Statement {
        file: migration.name,
        number: statement.number,
        count,
        first_line: statement.first_line().to_owned(),
        source,
    })?;
    tracing::info!(migration = migration.name, statement = statement.number, count, "migrated");
    Ok(server.within(QUESTION_TIMEOUT, record(server, row)).await?)
}

async fn record(server: &Server, row: MigrationRow) -> Result<(), clickhouse::error::Error> {
    let applied_at = server.client().query(sql::NOW_MILLIS).fetch_one::<i64>().await?;
    let mut insert = server.client().insert::<MigrationRow>("migrations").await?;
    insert.write(&MigrationRow { applied_at, ..row }).await?;
    insert.end().await
}

fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_listed_once_and_in_order() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let listed: Vec<&str> = MIGRATIONS.iter().map(|migration| migration.name).collect();
        assert_eq!(listed, files);
        assert!(MIGRATIONS.is_sorted_by(|one, next| one.version < next.version));
        for migration in MIGRATIONS {
            assert!(migration.name.starts_with(&format!("{:04}_", migration.version)));
        }
    }

    #[test]
    fn every_statement_does_nothing_when_it_is_done_already() {
        let repeatable = ["IF NOT EXISTS", "IF EXISTS", "MODIFY ", "OR REPLACE"];
        for migration in MIGRATIONS {
            let statements = statements(migration.sql);
            assert!(!statements.is_empty(), "{}", migration.name);
            for statement in statements {
                assert!(
                    repeatable.iter().any(|words| statement.first_line().contains(words)),
                    "{}: {}",
                    migration.name,
                    statement.first_line()
                );
            }
        }
    }
}
