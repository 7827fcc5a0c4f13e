//! The collector through its own door: a port of its own, a real spool, a real ClickHouse (see
//! `store::testing`), and one that is away.
//!
//! `stack` is what every test starts; then one module for each thing that is promised.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails by a panic")]

mod archive;
mod assets;
mod contract;
mod cookieless;
mod dead_letters;
mod dropped;
mod enriched;
mod exactly_once;
mod gates;
mod http;
mod import;
mod left_out;
mod link;
mod metrics;
mod odd_json;
mod openapi;
mod pixel;
mod ready;
mod rejected;
mod segment_api;
mod shutdown;
mod site_script;
mod stack;
mod stored;
mod tls;
