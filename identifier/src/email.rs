//! An e-mail address. Platforms normalise the same address differently, so it has one hash for each.

use crate::text::canonical;
use crate::{Hashed, ParseError};

/// RFC 5321 4.5.3.1: a path is 256 bytes with its angle brackets.
const BYTES_MAX: usize = 254;
/// RFC 5321 4.5.3.1.1.
const LOCAL_BYTES_MAX: usize = 64;
/// RFC 1035 2.3.4.
const LABEL_BYTES_MAX: usize = 63;
/// Where Google's own rule takes dots and `+tag` out of the name. The domain is kept as it was
/// written (google-ads-datamanager-util 0.4.0).
const GMAIL_DOMAINS: [&str; 2] = ["gmail.com", "googlemail.com"];

/// A checked e-mail address, held only as its hashes: the raw text does not outlive [`Email::parse`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    google: Hashed,
    meta: Hashed,
}

impl Email {
    /// Reads an address: composed, trimmed, lower case by Unicode. An address that was hashed
    /// already is kept as it is for every platform, since nobody can tell by whose rule it was made.
    ///
    /// # Errors
    ///
    /// [`ParseError::Email`] where mail could not be sent there: white space inside, no or two `@`,
    /// a leading, trailing or doubled dot, a domain without a dot, a quoted name; also for a name
    /// at Gmail of which Google's rule leaves nothing.
    pub fn parse(raw: &str) -> Result<Self, ParseError> {
        if let Some(hashed) = Hashed::recognize(raw)? {
            return Ok(Self { google: hashed, meta: hashed });
        }
        let address = canonical(raw, BYTES_MAX)?.to_lowercase();
        let (local, domain) = address.split_once('@').ok_or(ParseError::Email)?;
        if !is_local(local) || !is_domain(domain) {
            return Err(ParseError::Email);
        }
        let google = Hashed::of(&google_form(local, domain)?);
        let meta = Hashed::of(&address);
        Ok(Self { google, meta })
    }

    /// The hash by Google's rule: at Gmail without dots and without `+tag`.
    #[must_use]
    pub const fn google(&self) -> Hashed {
        self.google
    }

    /// The hash by Meta's rule: the address in lower case, nothing else. TikTok, LinkedIn, Microsoft,
    /// Snapchat, Pinterest and X read the same.
    #[must_use]
    pub const fn meta(&self) -> Hashed {
        self.meta
    }
}

fn google_form(local: &str, domain: &str) -> Result<String, ParseError> {
    if !GMAIL_DOMAINS.contains(&domain) {
        return Ok(format!("{local}@{domain}"));
    }
    let name = local.split('+').next().unwrap_or_default().replace('.', "");
    if name.is_empty() { Err(ParseError::Email) } else { Ok(format!("{name}@{domain}")) }
}

/// A dot-atom of RFC 5322, with the letters beyond ASCII that RFC 6531 allows. Quoted names are
/// legal and not in use; a quote here is a slip.
fn is_local(local: &str) -> bool {
    let fits = (1..=LOCAL_BYTES_MAX).contains(&local.len());
    fits && local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom_letter))
}

fn is_atom_letter(letter: char) -> bool {
    if letter.is_ascii() {
        letter.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(letter)
    } else {
        !letter.is_whitespace() && !letter.is_control()
    }
}

fn is_domain(domain: &str) -> bool {
    let labels = domain.split('.').collect::<Vec<_>>();
    let digits_only = |label: &&str| label.bytes().all(|byte| byte.is_ascii_digit());
    labels.len() >= 2
        && labels.iter().all(|label| is_label(label))
        && !labels.last().is_some_and(digits_only)
}

fn is_label(label: &str) -> bool {
    let letter =
        |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || !letter.is_ascii();
    let fits = (1..=LABEL_BYTES_MAX).contains(&label.len());
    fits && !label.starts_with('-') && !label.ends_with('-') && label.chars().all(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn google_takes_dots_and_tags_out_at_gmail_only() {
        let email = Email::parse(" A.b+x@Gmail.com ").unwrap();
        assert_eq!(email.google(), Hashed::of("ab@gmail.com"));
        assert_eq!(email.meta(), Hashed::of("a.b+x@gmail.com"));
        let elsewhere = Email::parse("A.b+x@firma.hr").unwrap();
        assert_eq!(elsewhere.google(), Hashed::of("a.b+x@firma.hr"));
        assert_eq!(elsewhere.google(), elsewhere.meta());
    }

    #[test]
    fn a_hash_is_never_hashed_twice() {
        let plain = Email::parse("ana@example.hr").unwrap();
        assert_eq!(Email::parse(&plain.meta().to_string()), Ok(plain.clone()));
        assert_eq!(Email::parse("d41d8cd98f00b204e9800998ecf8427e"), Err(ParseError::OtherDigest));
    }

    #[test]
    fn refuses_what_no_mail_could_reach() {
        let wrong = [
            "ana",
            "@example.hr",
            "ana@",
            "ana@@example.hr",
            "ana@b@example.hr",
            "ana marija@example.hr",
            "ana@example",
            "ana@example.hr.",
            "ana@.hr",
            ".ana@example.hr",
            "ana.@example.hr",
            "a..b@example.hr",
            "ana@-example.hr",
            "ana@exam ple.hr",
            "ana@127.0.0.1",
            "\"ana\"@example.hr",
            "<ana@example.hr>",
            "ana@example.hr,bo@example.hr",
            "....@gmail.com",
            "+tag@gmail.com",
            "ana@exa_mple.hr",
            "a\u{0}b@example.hr",
        ];
        for raw in wrong {
            assert_eq!(Email::parse(raw), Err(ParseError::Email), "{raw}");
        }
        assert_eq!(Email::parse("  "), Err(ParseError::Empty));
        let long = format!("{}@example.hr", "a".repeat(65));
        assert_eq!(Email::parse(&long), Err(ParseError::Email));
    }
}
