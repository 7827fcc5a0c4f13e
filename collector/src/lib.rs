#![doc = include_str!("../README.md")]

pub mod archive;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench_spool;
mod changes;
mod clock;
mod config;
mod cookieless;
pub mod dead_letters;
mod enrich;
mod error;
mod explain;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod gate;
mod handle;
mod head_timer;
mod health;
pub mod import;
mod keyed_hash;
mod last_copy;
pub mod link;
mod metrics;
mod operator;
mod pipeline;
mod receive;
mod reload;
mod run;
mod scripts;
mod server;
mod sink;
mod sites;
mod spool;
mod suppressed;
mod tls;
mod validate;

pub use clock::{Clock, ManualClock, SystemClock};
pub use config::{CollectorConfig, Settings};
pub use enrich::EnrichFiles;
pub use error::{CollectorError, Rejection, SinkError, Spec, StartError};
pub use explain::{Explainer, LinesTold};
pub use handle::Handle;
pub use receive::Assets;
pub use run::run;
pub use sites::knows_site;
pub use spool::Durability;
pub use tls::TlsError;
pub use validate::DropReason;
