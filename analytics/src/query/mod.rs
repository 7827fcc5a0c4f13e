//! How any question is asked: over which time, of which events, within which bounds, and how the answer
//! is laid out for a terminal.

mod duration;
mod error;
mod filter;
mod range;
mod sql;
mod table;

pub use duration::{DurationError, parse_duration, show_duration};
pub use error::AskError;
pub use filter::Filter;
pub use range::{Range, RangeError};
pub(crate) use sql::Scope;
pub use sql::{Limits, Question};
pub use table::Table;
