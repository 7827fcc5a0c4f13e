//! A run of events at most 30 minutes apart, across the pages and tabs of a site.

use crate::browser::Browser;
use crate::id;

/// An event later than this after the one before begins another session.
pub(crate) const INACTIVITY_MILLIS: u64 = 30 * 60 * 1000;

const SESSION: &str = "session";

/// The id of the session an event of this moment belongs to, which the event prolongs.
pub(crate) fn session(browser: &mut dyn Browser) -> String {
    let now = browser.now();
    let stored = browser.get(SESSION).unwrap_or_default();
    // A clock put far back makes another session too: the stored time would keep this one forever.
    let going_on = stored.split_once(' ').filter(|(known, last)| {
        id::is_id(known)
            && last.parse().is_ok_and(|last: u64| now.abs_diff(last) <= INACTIVITY_MILLIS)
    });
    let session = match going_on {
        Some((known, _)) => known.into(),
        None => id::new(browser),
    };
    browser.set(SESSION, &[&session, " ", &now.to_string()].concat());
    session
}

/// Forgets the session.
pub(crate) fn forget(browser: &mut dyn Browser) {
    browser.remove(SESSION);
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
