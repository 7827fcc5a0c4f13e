//! The dashboard through its door: real HTTP on a free port, a real ClickHouse behind it.
//! `FOOTFALL_TEST_CLICKHOUSE_URL` names the ClickHouse; `cargo xtask test` starts one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod api;
mod hosts;
mod pages;
mod started;
mod story;
