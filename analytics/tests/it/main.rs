//! The questions, asked through the crate's door of a real ClickHouse (`FOOTFALL_TEST_CLICKHOUSE_URL`):
//! on small histories whose answers can be told by looking, and on the real clickstream whose answers
//! others have told.
#![allow(clippy::unwrap_used, reason = "a test may panic, also in its functions")]

mod clickstream;
mod examples_sql;
mod funnel;
mod funnel_plain;
mod interest;
mod segment;
mod segment_evaluator;
mod traffic;

use jiff::Timestamp;
use store::EventRow;
use store::testing::{TestDatabase, insert};
use wire::SiteName;

/// A fresh database with these events in it.
async fn database(visits: impl IntoIterator<Item = impl Into<Vec<EventRow>>>) -> TestDatabase {
    let database = TestDatabase::create().await;
    let rows: Vec<EventRow> = visits.into_iter().flat_map(Into::into).collect();
    insert(database.server(), &rows).await;
    database
}

fn site(name: &str) -> SiteName {
    name.parse().unwrap()
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}
