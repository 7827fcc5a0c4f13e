//! From a block to rows in ClickHouse, exactly once.

mod clickhouse;
mod drain;
mod failure;
#[cfg(test)]
mod memory;
mod split;
mod sql;

use std::future::Future;

use bytes::Bytes;

pub(crate) use clickhouse::ClickHouseSink;
pub(crate) use drain::{Draining, WayOut};
pub(crate) use failure::Failure;
pub(crate) use split::Splitter;

use crate::error::SinkError;
use crate::spool::block::Table;

/// Rows of one table that go in together or not at all, under a token that makes every retry the same.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    pub(crate) table: Table,
    pub(crate) columns: &'a [String],
    pub(crate) token: String,
    pub(crate) rows: &'a [&'a [u8]],
    /// The same rows as columns, where they were turned before.
    pub(crate) native: Option<&'a [Bytes]>,
}

/// Where blocks go. The same part may come again, also after a crash, and must count once.
pub(crate) trait Sink: Send + Sync {
    /// Puts all rows of the part in.
    fn insert(&self, part: &Part<'_>) -> impl Future<Output = Result<(), SinkError>> + Send;

    /// Whether it answers at all: asked after a failure, before a block is read and packed again.
    fn answers(&self) -> impl Future<Output = Result<(), SinkError>> + Send;
}
