#![doc = include_str!("../README.md")]

mod category_rule;
mod currency;
pub mod embedded;
mod event_row;
mod exclusion;
pub mod migrate;
mod open;
mod origin;
mod page_host;
pub mod server;
pub mod site;
mod sql;
mod statement;
pub mod suppression;
#[cfg(feature = "testing")]
pub mod testing;
mod tracker;
pub mod visitor_salt;
mod visitors;

pub use currency::{Currency, CurrencyError};
pub use event_row::{ColumnForm, EventRow, IdentifierRow};
pub use open::{OpenError, OpenOptions, Store, open};
pub use server::{Address, AddressError, Secret, Server, ServerError};
