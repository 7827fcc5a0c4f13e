//! From what was sent to what may be kept: an event is whole and true to its form, or it is left
//! out with a reason.

mod drop_reason;
mod event;
mod exclusion;
mod properties;
mod referrer_spam;
mod site;
mod time;

pub use drop_reason::DropReason;
pub(crate) use event::{ValidEvent, cut, cut_cow, event, maybe_nameless};
pub(crate) use properties::{Properties, PropertiesLeftOut, flatten};
pub(crate) use referrer_spam::ReferrerSpam;
pub(crate) use site::{Chosen, Site, SiteTable};
pub(crate) use time::Times;
