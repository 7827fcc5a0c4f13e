#![doc = include_str!("../README.md")]

mod clock;
mod config;
pub mod dead_letters;
mod enrich;
mod error;
mod explain;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod health;
pub mod import;
mod metrics;
mod pipeline;
mod receive;
mod run;
mod server;
mod sink;
mod sites;
mod spool;
mod suppressed;
mod validate;

pub use clock::{Clock, ManualClock, SystemClock};
pub use config::{CollectorConfig, Settings};
pub use error::{CollectorError, Rejection, SinkError, Spec, StartError};
pub use explain::{Explainer, LinesTold};
pub use receive::Assets;
pub use run::run;
pub use spool::Durability;
pub use validate::DropReason;
