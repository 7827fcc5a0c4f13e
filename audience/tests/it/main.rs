//! The crate through its door, with a real ClickHouse (`FOOTFALL_TEST_CLICKHOUSE_URL`; a database of its
//! own for each test). Every test tells who was there and looks at who leaves.

#![allow(clippy::unwrap_used, reason = "a story that cannot be told fails the test")]

mod file;
mod floor;
mod gate;
mod persons;
mod story;
mod suppressed;
