//! A run of events at most 30 minutes apart, across the pages and tabs of a site.

use alloc::string::String;

use crate::browser::Browser;
use crate::cut::cut;
use crate::{id, json};

/// An event later than this after the one before begins another session.
pub(crate) const INACTIVITY_MILLIS: u64 = 30 * 60 * 1000;

const SESSION: &str = "session";

/// The id of the session an event of this moment belongs to, which the event prolongs.
pub(crate) fn session(browser: &mut impl Browser) -> String {
    let now = browser.now();
    let stored = browser.get(SESSION);
    // A clock put far back makes another session too: the stored time would keep this one forever.
    let (known, last) = cut(&stored, b' ');
    // What is no number becomes a time that is far from now.
    let digit = |number: u64, digit| number.wrapping_mul(10).wrapping_add(u64::from(digit) - 48);
    let last = last.bytes().fold(0, |number, byte| digit(number, byte.max(b'0')));
    let going_on = id::is_id(known) && now.abs_diff(last) <= INACTIVITY_MILLIS;
    let session = if going_on { known.into() } else { browser.id() };
    let mut kept = session.clone();
    kept.push_str(" ");
    json::push_number(&mut kept, now);
    browser.set(SESSION, &kept);
    session
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::browser::Storage as _;
    use crate::browser::fake::FakeBrowser;

    #[test]
    fn every_event_prolongs_the_session() {
        let mut browser = FakeBrowser::at("https://shop.example/");
        let first = session(&mut browser);
        for _ in 0..3 {
            browser.now += INACTIVITY_MILLIS;
            assert_eq!(session(&mut browser), first);
        }
    }

    #[test]
    fn a_longer_pause_begins_another_session() {
        let mut browser = FakeBrowser::at("https://shop.example/");
        let first = session(&mut browser);
        browser.now += INACTIVITY_MILLIS + 1;
        assert_ne!(session(&mut browser), first);
    }

    #[test]
    fn a_clock_put_back_by_hours_begins_another_session() {
        let mut browser = FakeBrowser::at("https://shop.example/");
        let first = session(&mut browser);
        browser.now -= 10 * INACTIVITY_MILLIS;
        assert_ne!(session(&mut browser), first);
    }

    #[test]
    fn a_damaged_session_is_made_anew() {
        let mut browser = FakeBrowser::at("https://shop.example/");
        for stored in
            ["", "nonsense", "x 1767225600000", "019b76da-a800-7000-8000-000000000001 soon"]
        {
            browser.set(SESSION, stored);
            assert!(id::is_id(&session(&mut browser)), "{stored}");
        }
    }
}
