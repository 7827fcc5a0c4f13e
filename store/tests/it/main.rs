//! The crate through its door, against a real ClickHouse: `FOOTFALL_TEST_CLICKHOUSE_URL` says where one is
//! (each test makes and drops its own database).
#![allow(clippy::unwrap_used, reason = "a test's helper fails the test")]

mod engine;
mod migrate;
mod rows;
mod site;
mod visitor_salt;
