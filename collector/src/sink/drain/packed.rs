//! A block that is ready to go out.

use bytes::Bytes;

use crate::spool::block::{Block, Table};
use crate::spool::columns;

/// A block in memory, and the rows of each of its tables as columns.
#[derive(Debug)]
pub(crate) struct Packed {
    pub(crate) block: Block,
    native: [Option<Vec<Bytes>>; Table::ALL.len()],
}

impl Packed {
    /// Some tens of milliseconds of work. Rows that cannot be turned are left as they are: what is wrong
    /// with them is found out when they are inserted.
    pub(crate) fn new(block: Block) -> Self {
        let native = Table::ALL.map(|table| {
            columns::native(table, block.columns(table), block.rows(table)).ok().flatten()
        });
        Self { block, native }
    }

    /// All of the table's rows as columns.
    pub(crate) fn native(&self, table: Table) -> Option<&[Bytes]> {
        let [events, bot_events, identifiers] = &self.native;
        match table {
            Table::Events => events,
            Table::BotEvents => bot_events,
            Table::Identifiers => identifiers,
        }
        .as_deref()
    }
}
