//! The gate: who may leave for an ad platform. Unknown is not consent, and a no anywhere is a no.

use wire::Choice;

/// What the gate says of one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// May leave.
    Leaves,
    /// Said no, on some browser, and has not taken it back there.
    Denied,
    /// Has not said yes on any browser that the rule matched.
    Unknown,
}

/// Decides by the last known ads consent of each of a person's browsers: those the rule `matched`, and
/// those `elsewhere` that are known to be the same person's. The order and the number of equal answers
/// do not matter.
///
/// A yes counts only from a browser that the rule matched: what was seen on another was not seen under
/// it. A no counts from everywhere.
#[must_use]
pub fn decide(matched: &[Choice], elsewhere: &[Choice]) -> Decision {
    if matched.iter().chain(elsewhere).any(|answer| *answer == Choice::Denied) {
        return Decision::Denied;
    }
    if matched.contains(&Choice::Granted) { Decision::Leaves } else { Decision::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Choice::{Denied, Granted, Unknown};

    /// Every set of answers a person's matched browsers can have, and for each the decision where the
    /// other browsers (none, unknown, granted) say no no.
    const TABLE: [(&[Choice], Decision); 8] = [
        (&[], Decision::Unknown),
        (&[Unknown], Decision::Unknown),
        (&[Granted], Decision::Leaves),
        (&[Denied], Decision::Denied),
        (&[Unknown, Granted], Decision::Leaves),
        (&[Unknown, Denied], Decision::Denied),
        (&[Granted, Denied], Decision::Denied),
        (&[Unknown, Granted, Denied], Decision::Denied),
    ];

    const ELSEWHERE_WITHOUT_NO: [&[Choice]; 4] = [&[], &[Unknown], &[Granted], &[Unknown, Granted]];
    const ELSEWHERE_WITH_NO: [&[Choice]; 4] =
        [&[Denied], &[Unknown, Denied], &[Granted, Denied], &[Unknown, Granted, Denied]];

    #[test]
    fn every_case_of_the_table() {
        for (matched, decision) in TABLE {
            for elsewhere in ELSEWHERE_WITHOUT_NO {
                assert_eq!(decide(matched, elsewhere), decision, "{matched:?} {elsewhere:?}");
            }
            for elsewhere in ELSEWHERE_WITH_NO {
                assert_eq!(
                    decide(matched, elsewhere),
                    Decision::Denied,
                    "{matched:?} {elsewhere:?}"
                );
            }
        }
    }

    #[test]
    fn the_order_of_answers_does_not_matter() {
        assert_eq!(decide(&[Denied, Granted], &[]), Decision::Denied);
        assert_eq!(decide(&[Granted, Unknown], &[]), Decision::Leaves);
    }
}
