#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod answer;
mod batch;
mod consent;
mod event;
mod from_object;
mod lenient;
pub mod limits;
mod new_event;
mod site_name;
mod text;

pub use answer::{Answer, Dropped, Rejected, RejectedBody};
pub use batch::{Batch, Context};
pub use consent::{Choice, Consent};
pub use event::{Event, Kind};
pub use from_object::FromObject;
pub use new_event::NewEvent;
pub use site_name::{SiteName, SiteNameError};
pub use text::Text;
