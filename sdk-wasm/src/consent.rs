//! What the visitor has agreed to, kept in the browser.

use wire::{Choice, Consent};

use crate::browser::Storage;
use crate::error::Refusal;

const CONSENT: &str = "consent";

/// The answers one `footfall('consent', {...})` gives; what it does not name stays as it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    analytics: Option<Choice>,
    personalization: Option<Choice>,
    ads: Option<Choice>,
}

impl Change {
    /// Reads the three answers.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownChoice`] for anything but `granted` and `denied`: a misspelt answer is
    /// not a yes, and taking it for a no would hide the mistake.
    pub fn parse(
        analytics: Option<&str>,
        personalization: Option<&str>,
        ads: Option<&str>,
    ) -> Result<Self, Refusal> {
        let answer = |text: Option<&str>| match text {
            None => Ok(None),
            Some("granted") => Ok(Some(Choice::Granted)),
            Some("denied") => Ok(Some(Choice::Denied)),
            Some(_) => Err(Refusal::UnknownChoice),
        };
        Ok(Self {
            analytics: answer(analytics)?,
            personalization: answer(personalization)?,
            ads: answer(ads)?,
        })
    }

    /// The consent after this change.
    #[must_use]
    pub fn of(self, consent: Consent) -> Consent {
        Consent {
            analytics: self.analytics.unwrap_or(consent.analytics),
            personalization: self.personalization.unwrap_or(consent.personalization),
            ads: self.ads.unwrap_or(consent.ads),
        }
    }
}

/// The consent as stored: read for every event, because another tab may have changed it.
#[must_use]
pub fn load(storage: &(impl Storage + ?Sized)) -> Consent {
    let stored = storage.get(CONSENT).unwrap_or_default();
    let mut answers = stored.split(' ').map(|answer| match answer {
        "granted" => Choice::Granted,
        "denied" => Choice::Denied,
        _ => Choice::Unknown,
    });
    let mut answer = || answers.next().unwrap_or_default();
    Consent { analytics: answer(), personalization: answer(), ads: answer() }
}

/// Keeps the consent.
pub fn save(consent: Consent, storage: &mut (impl Storage + ?Sized)) {
    let text = |choice| match choice {
        Choice::Unknown => "unknown",
        Choice::Granted => "granted",
        Choice::Denied => "denied",
    };
    let answers = [text(consent.analytics), text(consent.personalization), text(consent.ads)];
    storage.set(CONSENT, &answers.join(" "));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::browser::fake::FakeBrowser;

    #[test]
    fn consent_is_unknown_until_it_is_given() {
        assert_eq!(load(&FakeBrowser::default()), Consent::default());
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let mut browser = FakeBrowser::default();
        let consent =
            Consent { analytics: Choice::Granted, ads: Choice::Denied, ..Consent::default() };
        save(consent, &mut browser);
        assert_eq!(load(&browser), consent);
    }

    #[test]
    fn a_change_leaves_the_other_purposes() {
        let before = Consent { analytics: Choice::Granted, ..Consent::default() };
        let change = Change::parse(None, None, Some("granted")).unwrap();
        assert_eq!(change.of(before), Consent { ads: Choice::Granted, ..before });
    }

    #[test]
    fn a_misspelt_answer_changes_nothing() {
        assert_eq!(Change::parse(None, None, Some("yes")), Err(Refusal::UnknownChoice));
    }
}
