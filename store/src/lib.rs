#![doc = include_str!("../README.md")]

mod event_row;

pub use event_row::{EventRow, IdentifierRow};
