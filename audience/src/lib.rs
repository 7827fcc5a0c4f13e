#![doc = include_str!("../README.md")]

mod consent;
pub mod destination;
mod member;
mod people;
mod receipt;
mod snapshot;
mod sql;
mod suppression;

pub use consent::{Decision, decide};
pub use destination::{Destination, Leaving, WriteError};
pub use member::{Address, Member};
pub use receipt::Receipt;
pub use snapshot::{Audience, MEMBERS_MAX, SIZE_MIN_DEFAULT, Snapshot, SnapshotError};
pub use suppression::{REASON_BYTES_MAX, SuppressError, Suppression};
