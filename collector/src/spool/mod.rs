//! From rows to the disk: what is appended here is what a 202 promises.

pub(crate) mod block;
mod log;
mod replay;
mod row_binary;

pub use log::Durability;
pub(crate) use log::{AppendError, Limits, SealedBlock, Spool};
