//! A database of one test's own.

use std::thread;

use clickhouse::Row;
use clickhouse::RowWrite;
use clickhouse::sql::Identifier;
use uuid::Uuid;

use crate::server::{Address, QUESTION_TIMEOUT, Server};
use crate::{EventRow, IdentifierRow, migrate, sql};

/// Where the tests' ClickHouse is.
const URL: &str = "FOOTFALL_TEST_CLICKHOUSE_URL";

/// A migrated database under a name nobody else has, dropped when this value is.
#[derive(Debug)]
pub struct TestDatabase {
    server: Server,
}

impl TestDatabase {
    /// Makes and migrates the database.
    ///
    /// # Panics
    /// Where `FOOTFALL_TEST_CLICKHOUSE_URL` is not set, or ClickHouse there does not do it.
    pub async fn create() -> Self {
        let database = Self::create_empty();
        migrate::migrate(&database.server).await.expect("the test's database migrates");
        database
    }

    /// Names a database and leaves the making to the test.
    ///
    /// # Panics
    /// Where `FOOTFALL_TEST_CLICKHOUSE_URL` is not set.
    #[must_use]
    pub fn create_empty() -> Self {
        let url = std::env::var(URL).unwrap_or_else(|_| {
            panic!(
                "{URL} is not set: this test needs a ClickHouse. `cargo xtask test` starts one; \
                 or set it to one of yours, for example {URL}=http://127.0.0.1:8123"
            )
        });
        let mut address: Address = url.parse().expect("an address of a ClickHouse");
        address.database = format!("footfall_test_{}", Uuid::new_v4().simple());
        Self { server: Server::new(&address) }
    }

    /// The server, with this database set.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }
}

impl Drop for TestDatabase {
    /// On a thread of its own: a test's runtime cannot be waited for from within.
    fn drop(&mut self) {
        let address = self.server.address().clone();
        let dropped = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let server = Server::new(&address);
            let query = server.outside().query(sql::DROP_DATABASE);
            let drop = query.bind(Identifier(server.database())).execute();
            let dropped = runtime.block_on(server.within(QUESTION_TIMEOUT, drop));
            dropped.map_err(std::io::Error::other)
        });
        let dropped = dropped.join();
        if !thread::panicking() {
            dropped.expect("the thread that drops").expect("the test's database is dropped");
        }
    }
}

/// Writes rows into `events`.
///
/// # Panics
/// Where ClickHouse does not take them.
pub async fn insert(server: &Server, rows: &[EventRow]) {
    write(server, "events", rows).await.expect("the events are written");
}

/// Writes rows into `identifiers`.
///
/// # Panics
/// Where ClickHouse does not take them.
pub async fn insert_identifiers(server: &Server, rows: &[IdentifierRow]) {
    write(server, "identifiers", rows).await.expect("the identifiers are written");
}

async fn write<T>(server: &Server, table: &str, rows: &[T]) -> Result<(), clickhouse::error::Error>
where
    T: RowWrite + for<'a> Row<Value<'a> = T>,
{
    let mut insert = server.client().insert::<T>(table).await?;
    for row in rows {
        insert.write(row).await?;
    }
    insert.end().await
}
