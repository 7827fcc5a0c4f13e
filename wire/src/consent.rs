//! What the visitor has agreed to, as it stood when the event happened.

use serde::{Deserialize, Serialize};

use crate::lenient::or_default;

/// One purpose's answer. `Unknown` is not consent: nothing leaves for an ad platform on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The visitor has not been asked, or has not answered.
    #[default]
    Unknown,
    /// The visitor said yes.
    Granted,
    /// The visitor said no, or took a yes back.
    Denied,
}

/// The three purposes Footfall knows. Carried on every event, so that what may be done with an
/// event is told by the event alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, expecting = "an object")]
pub struct Consent {
    /// To measure the visit.
    #[serde(deserialize_with = "or_default")]
    pub analytics: Choice,
    /// To change what the site shows.
    #[serde(deserialize_with = "or_default")]
    pub personalization: Choice,
    /// To send the person, hashed, to ad platforms.
    #[serde(deserialize_with = "or_default")]
    pub ads: Choice,
}
