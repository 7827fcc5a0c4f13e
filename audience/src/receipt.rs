//! What was asked, when, and what became of everyone the rule matched.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use wire::SiteName;

/// Everyone the rule matched stands in exactly one of the counts below `matched`, in the order of the
/// gates: consent, suppression, identifiers, joined. It holds no person, so it may be kept and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// Whose people.
    pub site: SiteName,
    /// The rule, as text that reads back as the same rule.
    pub rule: String,
    /// Where they were to go.
    pub destination: &'static str,
    /// When the question was asked.
    pub taken_at: Timestamp,
    /// The size floor.
    pub size_min: u64,
    /// Visitors (browsers) the rule matched.
    pub visitors: u64,
    /// Persons they are: visitors with the same known user id are one.
    pub matched: u64,
    /// Held back by the consent gate.
    pub without_consent: u64,
    /// Held back by the suppression list.
    pub suppressed: u64,
    /// Nothing is known by which the destination could find them.
    pub without_identifiers: u64,
    /// Turned out, by an e-mail address, to be a person counted under another id.
    pub joined: u64,
    /// Leaving, or who would have left were they more than the floor.
    pub leaving: u64,
}

impl fmt::Display for Receipt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} matched, {} without consent, {} suppressed, {} without identifiers, {} joined, {} leaving",
            self.matched,
            self.without_consent,
            self.suppressed,
            self.without_identifiers,
            self.joined,
            self.leaving
        )
    }
}
