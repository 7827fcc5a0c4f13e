//! What a sender is answered.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// The body of a 202: every event is either accepted (it is on disk) or named here with the reason
/// why it was left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// How many events are on disk now.
    pub accepted: u32,
    /// The events left out, in the order they came.
    pub dropped: Vec<Dropped>,
}

/// One event that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// The event's id as it was sent.
    pub id: String,
    /// A stable tag from a closed list (docs/WIRE.md).
    pub reason: String,
    /// The field at fault, by the sender's own name; none where the whole event is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// The body of a 4xx or 5xx: nothing of the request was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// Why, in one object.
    pub error: RejectedBody,
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedBody {
    /// A stable tag from a closed list (docs/WIRE.md), also the metric's label.
    pub tag: String,
    /// What was wrong, for a person; names the field where there is one.
    pub message: String,
    /// What to do about it.
    pub hint: String,
    /// The field of the body at fault, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}
