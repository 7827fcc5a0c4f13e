//! What an operator fears, on command: the real collector and the real ClickHouse, with a load between
//! them that remembers what it was answered; `outage` their bad day; `junk` and
//! `bombs` requests that nobody should send; `side_by_side` two collectors on one ClickHouse.
//!
//! A program of its own: cargo runs one after another, and a browser beside these is too slow to be
//! anybody's.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stderr, reason = "a test that was not run says so")]

mod bombs;
mod clickhouse_ends;
#[cfg(target_os = "linux")]
mod clock;
mod collector_ends;
mod disk_full;
mod geo_file;
mod house;
mod junk;
mod load;
mod outage;
mod side_by_side;
mod spool_file;

use std::time::Duration;

use house::House;
use load::Load;

/// How long a busy machine may take.
const PATIENCE: Duration = Duration::from_secs(90);
