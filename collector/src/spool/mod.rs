//! From rows to the disk: what is appended here is what a 202 promises.

pub(crate) mod block;
pub(crate) mod columns;
mod journal;
mod limits;
mod log;
mod replay;
pub(crate) mod row_binary;
pub(crate) mod row_reader;
mod turns;

pub(crate) use journal::Journal;
pub use limits::Durability;
pub(crate) use limits::Limits;
pub(crate) use log::{AppendError, SealedBlock, Spool};
pub(crate) use replay::Found;
