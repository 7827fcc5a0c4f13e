//! From a block to rows in ClickHouse, exactly once.

mod clickhouse;
mod drain;
#[cfg(test)]
mod memory;
mod sql;

use std::future::Future;

pub(crate) use clickhouse::ClickHouseSink;
pub(crate) use drain::drain;

use crate::error::SinkError;
use crate::spool::block::Block;

/// Where blocks go. The same block may come again, also after a crash, and must count once.
pub(crate) trait Sink: Send + Sync {
    /// Puts all rows of the block in.
    fn insert(&self, block: &Block) -> impl Future<Output = Result<(), SinkError>> + Send;
}
