//! What the operator asks of the spool: how sure, and how much.

use std::time::Duration;

/// What an answered event survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Durability {
    /// The end of the collector, however sudden (`kill -9`): the bytes are with the system.
    #[default]
    Process,
    /// The end of the machine too: the bytes are on the disk (fsync, one for all requests waiting).
    Disk,
}

/// When a block is sealed, and how much the folder may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) block_rows_max: u64,
    pub(crate) block_bytes_max: u64,
    pub(crate) block_age_max: Duration,
    /// Of everything in the folder, what was set aside included.
    pub(crate) bytes_max: u64,
}
