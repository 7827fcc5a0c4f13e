//! Why the tracker left something out.

use core::fmt;

/// Why a call or an event came to nothing. Said on the console in debug mode and nowhere else: a
/// tracker does not break the page it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The visitor does not want to be measured.
    Denied,
    /// `footfall()` without a name.
    NoName,
    /// `footfall('step')` without a funnel or without a step.
    NoStep,
    /// `footfall('identify')` without an id, or with one too long to be kept whole.
    NoUser,
    /// A consent that is neither `granted` nor `denied`.
    UnknownChoice,
    /// The event's properties are not JSON.
    NotJson,
    /// The event is longer than the queue takes.
    TooLarge,
    /// The collector refused the batch for good, with this status.
    Rejected(u16),
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Denied => "left out: consent to analytics is denied",
            Self::NoName => "left out: a call needs a name",
            Self::NoStep => "left out: a step needs a funnel and a step",
            Self::NoUser => "left out: identify needs an id of at most 256 bytes",
            Self::UnknownChoice => "left out: consent is 'granted' or 'denied'",
            Self::NotJson => "left out: properties are not JSON",
            Self::TooLarge => "left out: the event is larger than 15 KiB",
            Self::Rejected(status) => {
                return write!(out, "left out: the collector refused a batch with {status}");
            }
        };
        out.write_str(text)
    }
}

impl core::error::Error for Refusal {}
