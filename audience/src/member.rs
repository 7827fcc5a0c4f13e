//! One person who may leave, by nothing but hashes, a country and a postal code.

use identifier::{Country, Hashed, Kind, Zip};

/// E-mail addresses of one person that leave, the newest first chosen: Meta's files take three columns,
/// and Google's ten identifiers per person leave room for three phones and an address beside them.
pub(crate) const EMAILS_MAX: usize = 3;
/// Phone numbers of one person that leave; as [`EMAILS_MAX`].
pub(crate) const PHONES_MAX: usize = 3;

/// A person as a destination sees them: no id of ours, no raw text. Compared by what is known, so that
/// sorted members tell nothing of when or in which order they came.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    emails: Vec<Hashed>,
    phones: Vec<Hashed>,
    first_name: Option<Hashed>,
    last_name: Option<Hashed>,
    country: Option<Country>,
    zip: Option<Zip>,
}

/// A name and a place; destinations take them together or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address<'a> {
    /// The hash of the first name.
    pub first_name: Hashed,
    /// The hash of the last name.
    pub last_name: Hashed,
    /// Plain.
    pub country: Country,
    /// Plain.
    pub zip: &'a Zip,
}

impl Member {
    /// Reads what is known of a person, the newest first, as rows of `identifiers` (kind, value). E-mail
    /// addresses are those hashed by the rule `email` stands for. What is no longer a hash, a country or
    /// a postal code is left out: whoever wrote it was not the collector.
    pub(crate) fn from_told(told: &[(String, String)], email: Kind) -> Self {
        let mut member = Self::default();
        for (kind, value) in told {
            let hashed = || Hashed::recognize(value).ok().flatten();
            match Kind::from_name(kind) {
                Some(kind) if kind == email => member.emails.extend(hashed()),
                Some(Kind::Phone) => member.phones.extend(hashed()),
                Some(Kind::FirstName) => member.first_name = member.first_name.or_else(hashed),
                Some(Kind::LastName) => member.last_name = member.last_name.or_else(hashed),
                Some(Kind::Country) => {
                    member.country = member.country.or_else(|| Country::parse(value).ok());
                }
                Some(Kind::Zip) => member.zip = member.zip.or_else(|| Zip::parse(value).ok()),
                _ => {}
            }
        }
        member.emails = newest(member.emails, EMAILS_MAX);
        member.phones = newest(member.phones, PHONES_MAX);
        member
    }

    /// The e-mail addresses, hashed by the destination's rule, sorted; at most three.
    #[must_use]
    pub fn emails(&self) -> &[Hashed] {
        &self.emails
    }

    /// The phone numbers, hashed by Google's rule (E.164 with the plus), sorted; at most three.
    #[must_use]
    pub fn phones(&self) -> &[Hashed] {
        &self.phones
    }

    /// Name and place, where all four parts of them are known.
    #[must_use]
    pub fn address(&self) -> Option<Address<'_>> {
        Some(Address {
            first_name: self.first_name?,
            last_name: self.last_name?,
            country: self.country?,
            zip: self.zip.as_ref()?,
        })
    }

    /// Takes in what is known of the same person under another id. Name and place stay one person's
    /// whole: they come from `other` only where this one's are not whole.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.emails.extend(&other.emails);
        self.emails = newest(std::mem::take(&mut self.emails), EMAILS_MAX);
        self.phones.extend(&other.phones);
        self.phones = newest(std::mem::take(&mut self.phones), PHONES_MAX);
        if self.address().is_none() && other.address().is_some() {
            self.first_name = other.first_name;
            self.last_name = other.last_name;
            self.country = other.country;
            self.zip = other.zip;
        }
    }
}

/// The first `most` of a list that has the newest first, each once, sorted.
fn newest(list: Vec<Hashed>, most: usize) -> Vec<Hashed> {
    let mut kept = Vec::with_capacity(list.len().min(most));
    for hashed in list {
        if kept.len() < most && !kept.contains(&hashed) {
            kept.push(hashed);
        }
    }
    kept.sort_unstable();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use identifier::{Email, from_traits};

    fn told(traits: &[(&str, &str)]) -> Vec<(String, String)> {
        let found = from_traits(traits.iter().copied(), Some("HR"));
        found.into_iter().map(|known| (known.kind.as_str().to_owned(), known.value)).collect()
    }

    #[test]
    fn takes_the_emails_of_the_destinations_rule() {
        let told = told(&[("email", "a.b@gmail.com")]);
        let email = Email::parse("a.b@gmail.com").unwrap();
        assert_eq!(Member::from_told(&told, Kind::EmailGoogle).emails(), [email.google()]);
        assert_eq!(Member::from_told(&told, Kind::EmailMeta).emails(), [email.meta()]);
    }

    #[test]
    fn an_address_is_whole_or_absent() {
        let mut traits = vec![
            ("first_name", "Ana"),
            ("last_name", "Horvat"),
            ("country", "HR"),
            ("zip", "10000"),
        ];
        assert!(Member::from_told(&told(&traits), Kind::EmailGoogle).address().is_some());
        traits.remove(1);
        assert_eq!(Member::from_told(&told(&traits), Kind::EmailGoogle).address(), None);
    }

    #[test]
    fn leaves_out_what_is_no_hash_and_no_checked_text() {
        let told = [
            ("email_google", "ana@example.hr"),
            ("phone", "+385912345678"),
            ("first_name", "=HYPERLINK(\"x\")"),
            ("country", "=1+1"),
            ("zip", "@SUM(A1)"),
            ("passport", "1"),
        ];
        let told = told.map(|(kind, value)| (kind.to_owned(), value.to_owned()));
        assert_eq!(Member::from_told(&told, Kind::EmailGoogle), Member::default());
    }

    #[test]
    fn keeps_the_newest_three_emails_sorted() {
        let names =
            ["d@example.hr", "a@example.hr", "c@example.hr", "d@example.hr", "b@example.hr"];
        let hashes = names.map(|name| Email::parse(name).unwrap().google());
        let told = hashes.map(|hash| ("email_google".to_owned(), hash.to_string()));
        let mut expected = [hashes[0], hashes[1], hashes[2]];
        expected.sort_unstable();
        assert_eq!(Member::from_told(&told, Kind::EmailGoogle).emails(), expected);
    }
}
