//! From a block to rows in ClickHouse, exactly once.

mod clickhouse;
mod drain;
mod failure;
#[cfg(test)]
mod memory;
mod split;
mod sql;

use std::future::Future;

pub(crate) use clickhouse::ClickHouseSink;
pub(crate) use drain::drain;
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
}

/// Where blocks go. The same part may come again, also after a crash, and must count once.
pub(crate) trait Sink: Send + Sync {
    /// Puts all rows of the part in.
    fn insert(&self, part: &Part<'_>) -> impl Future<Output = Result<(), SinkError>> + Send;
}
