//! What the visitor has agreed to. The loader keeps it (loader/consent.js), because it must be read
//! before anything is sent, also where there is no WebAssembly.

use wire::{Choice, Consent};

use crate::browser::Storage;
use crate::cut::cut;

const CONSENT: &str = "consent";

/// The consent as stored: read for every event, because another tab may have changed it.
#[must_use]
pub fn load(storage: &impl Storage) -> Consent {
    let stored = storage.get(CONSENT);
    let (analytics, others) = cut(&stored, b' ');
    let (personalization, ads) = cut(others, b' ');
    Consent {
        analytics: choice(analytics),
        personalization: choice(personalization),
        ads: choice(ads),
    }
}

fn choice(text: &str) -> Choice {
    match text {
        "granted" => Choice::Granted,
        "denied" => Choice::Denied,
        _ => Choice::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::browser::fake::FakeBrowser;

    #[test]
    fn consent_is_unknown_until_it_is_given() {
        let mut browser = FakeBrowser::default();
        assert_eq!(load(&browser), Consent::default());
        browser.set("consent", "granted nonsense");
        assert_eq!(load(&browser), Consent { analytics: Choice::Granted, ..Consent::default() });
        browser.set("consent", "granted unknown denied");
        let stored =
            Consent { analytics: Choice::Granted, ads: Choice::Denied, ..Consent::default() };
        assert_eq!(load(&browser), stored);
    }
}
