//! From what a site tells of a person (`footfall('identify', id, {...})`) to what may be kept of it.

use crate::{Country, Email, Hashed, PersonName, Phone, Zip};

/// What sort of identifier it is; the `kind` column of `identifiers` and `suppressions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An e-mail address, hashed by Google's rule.
    EmailGoogle,
    /// An e-mail address, hashed by Meta's rule.
    EmailMeta,
    /// A phone number, hashed by Google's rule: with its plus.
    Phone,
    /// A phone number, hashed by Meta's rule: digits only.
    PhoneMeta,
    /// A first name, hashed by Google's rule.
    FirstName,
    /// A last name, hashed by Google's rule.
    LastName,
    /// An ISO 3166-1 alpha-2 code, plain.
    Country,
    /// A postal code, plain.
    Zip,
}

impl Kind {
    /// Every kind, in the order of the migration's comment.
    pub const ALL: [Self; 8] = [
        Self::EmailGoogle,
        Self::EmailMeta,
        Self::Phone,
        Self::PhoneMeta,
        Self::FirstName,
        Self::LastName,
        Self::Country,
        Self::Zip,
    ];

    /// The kind's name in ClickHouse.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EmailGoogle => "email_google",
            Self::EmailMeta => "email_meta",
            Self::Phone => "phone",
            Self::PhoneMeta => "phone_meta",
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::Country => "country",
            Self::Zip => "zip",
        }
    }

    /// Reads a kind's name; `None` for one this release does not know.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// One thing by which a platform may know a person: a hash, or a plain country or postal code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identifier {
    /// What it is.
    pub kind: Kind,
    /// 64 lower-case hexadecimal digits, a country's code or a postal code.
    pub value: String,
}

impl Identifier {
    fn new(kind: Kind, value: impl Into<String>) -> Self {
        Self { kind, value: value.into() }
    }
}

/// Takes out of a person's traits what a platform may know them by, normalised and hashed; what
/// cannot be read is left out. The same identifier comes once.
///
/// Names read: `email`, `phone`, `first_name` or `firstName`, `last_name` or `lastName`, `country`,
/// `zip`, `postal_code` or `postalCode`. A national phone number is read by the person's own country
/// where the traits tell it, else by `default_region` (a country's code: the site's, or the visit's).
///
/// What the browser hashed comes as `email_sha256` (by Meta's rule), `email_google_sha256`,
/// `phone_sha256` (by Google's rule), `phone_meta_sha256`, `first_name_sha256` and
/// `last_name_sha256`, each of 64 hexadecimal digits.
pub fn from_traits<'a>(
    traits: impl Iterator<Item = (&'a str, &'a str)>,
    default_region: Option<&str>,
) -> Vec<Identifier> {
    let mut found = Vec::new();
    let mut phones = Vec::new();
    let mut region = None;
    for (name, raw) in traits {
        match name {
            "email" => found.extend(Email::parse(raw).ok().into_iter().flat_map(of_email)),
            "phone" => phones.push(raw),
            "first_name" | "firstName" => found.extend(of_name(Kind::FirstName, raw)),
            "last_name" | "lastName" => found.extend(of_name(Kind::LastName, raw)),
            "country" => {
                if let Ok(country) = Country::parse(raw) {
                    region = region.or(Some(country));
                    found.push(Identifier::new(Kind::Country, country.as_str()));
                }
            }
            "zip" | "postal_code" | "postalCode" => {
                found.extend(Zip::parse(raw).map(|zip| Identifier::new(Kind::Zip, zip.as_str())));
            }
            "email_sha256" => found.extend(of_hash(Kind::EmailMeta, raw)),
            "email_google_sha256" => found.extend(of_hash(Kind::EmailGoogle, raw)),
            "phone_sha256" => found.extend(of_hash(Kind::Phone, raw)),
            "phone_meta_sha256" => found.extend(of_hash(Kind::PhoneMeta, raw)),
            "first_name_sha256" => found.extend(of_hash(Kind::FirstName, raw)),
            "last_name_sha256" => found.extend(of_hash(Kind::LastName, raw)),
            _ => {}
        }
    }
    let region = region.or_else(|| default_region.and_then(|code| Country::parse(code).ok()));
    let phones = phones.into_iter().filter_map(|raw| Phone::parse(raw, region).ok());
    found.extend(phones.flat_map(of_phone));
    found.sort_unstable();
    found.dedup();
    found
}

fn of_email(email: Email) -> [Identifier; 2] {
    [
        Identifier::new(Kind::EmailGoogle, email.google().to_string()),
        Identifier::new(Kind::EmailMeta, email.meta().to_string()),
    ]
}

fn of_phone(phone: Phone) -> [Identifier; 2] {
    [
        Identifier::new(Kind::Phone, phone.google().to_string()),
        Identifier::new(Kind::PhoneMeta, phone.meta().to_string()),
    ]
}

fn of_name(kind: Kind, raw: &str) -> Option<Identifier> {
    let name = PersonName::parse(raw).ok()?;
    Some(Identifier::new(kind, name.google().to_string()))
}

fn of_hash(kind: Kind, raw: &str) -> Option<Identifier> {
    let hashed = Hashed::recognize(raw).ok()??;
    Some(Identifier::new(kind, hashed.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(found: &[Identifier]) -> Vec<&'static str> {
        found.iter().map(|identifier| identifier.kind.as_str()).collect()
    }

    #[test]
    fn reads_every_name_it_promises() {
        let traits = [
            ("email", "ana@example.hr"),
            ("phone", "091 234 5678"),
            ("firstName", "Ana"),
            ("lastName", "Horvat"),
            ("country", "Hrvatska"),
            ("postal_code", "10000"),
            ("plan", "gold"),
        ];
        let found = from_traits(traits.into_iter(), None);
        let all = Kind::ALL.map(Kind::as_str);
        assert_eq!(kinds(&found), all);
        assert_eq!(found[6].value, "HR");
        assert_eq!(found[7].value, "10000");
    }

    #[test]
    fn the_persons_own_country_reads_the_phone() {
        let own =
            from_traits([("phone", "091 234 5678"), ("country", "HR")].into_iter(), Some("US"));
        let expected = Phone::parse("+385912345678", None).unwrap();
        assert_eq!(own.last().map(|identifier| identifier.kind), Some(Kind::Country));
        assert_eq!(own[0].value, expected.google().to_string());
        assert_eq!(own[1].value, expected.meta().to_string());
        let default = from_traits([("phone", "091 234 5678")].into_iter(), Some("hr"));
        assert_eq!(default[0].value, expected.google().to_string());
        assert!(from_traits([("phone", "091 234 5678")].into_iter(), None).is_empty());
    }

    #[test]
    fn leaves_out_what_cannot_be_read_and_what_came_twice() {
        let traits = [
            ("email", "nobody"),
            ("zip", "=1+1"),
            ("country", "XX"),
            ("first_name", "Ana"),
            ("firstName", "ANA"),
        ];
        assert_eq!(kinds(&from_traits(traits.into_iter(), None)), ["first_name"]);
    }

    #[test]
    fn what_was_hashed_in_the_browser_is_the_same_identifier() {
        let raw = [
            ("email", "A.b@gmail.com"),
            ("phone", "+385912345678"),
            ("first_name", "Ana"),
            ("last_name", "Horvat"),
        ];
        let raw = from_traits(raw.into_iter(), None);
        let names = [
            "email_google_sha256",
            "email_sha256",
            "phone_sha256",
            "phone_meta_sha256",
            "first_name_sha256",
            "last_name_sha256",
        ];
        let hashes: Vec<_> = raw.iter().map(|identifier| identifier.value.as_str()).collect();
        let hashed = names.into_iter().zip(hashes.iter().copied());
        assert_eq!(from_traits(hashed, None), raw);
        for wrong in ["ana@example.hr", "d41d8cd98f00b204e9800998ecf8427e", "", &"g".repeat(64)] {
            assert_eq!(from_traits(names.map(|name| (name, wrong)).into_iter(), None), []);
        }
    }

    #[test]
    fn a_kinds_name_reads_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_name(kind.as_str()), Some(kind));
        }
        assert_eq!(Kind::from_name("email"), None);
    }
}
