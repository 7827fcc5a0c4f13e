#![doc = include_str!("../README.md")]

mod event_row;
pub mod migrate;
mod origin;
pub mod server;
pub mod site;
mod sql;
mod statement;
#[cfg(feature = "testing")]
pub mod testing;

pub use event_row::{EventRow, IdentifierRow};
pub use server::{Address, AddressError, Secret, Server, ServerError};
