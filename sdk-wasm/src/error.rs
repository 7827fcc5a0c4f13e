//! Why the tracker left something out.

use core::fmt;

/// Why an event came to nothing. Said on the console in debug mode and nowhere else: a tracker does not
/// break the page it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The visitor does not want to be measured, or has not been asked where the site waits for that.
    Denied,
    /// The event is longer than the queue takes.
    TooLarge,
    /// The collector refused the batch for good: the browser's console has the status.
    Rejected,
}

impl Refusal {
    /// What the console says: every page downloads these words, and the README explains them.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::TooLarge => "too large",
            Self::Rejected => "rejected",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.tag())
    }
}

impl core::error::Error for Refusal {}
