//! A first or a last name.

use crate::text::canonical;
use crate::{Hashed, ParseError};

/// As the wire's limit for names: longer ones were cut on the way and are nobody's.
const BYTES_MAX: usize = 256;

/// A name, held only as its hash: the raw text does not outlive [`PersonName::parse`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonName {
    google: Hashed,
}

impl PersonName {
    /// Reads a name: composed, trimmed, inner white space as one space, lower case by Unicode.
    /// Punctuation, titles and suffixes stay, as in Google's own library; letters are not
    /// transliterated. A name that was hashed already is kept as it is.
    ///
    /// # Errors
    ///
    /// [`ParseError::PersonName`] where it has no letter at all.
    pub fn parse(raw: &str) -> Result<Self, ParseError> {
        if let Some(hashed) = Hashed::recognize(raw)? {
            return Ok(Self { google: hashed });
        }
        let name = canonical(raw, BYTES_MAX)?;
        if !name.chars().any(char::is_alphabetic) {
            return Err(ParseError::PersonName);
        }
        Ok(Self { google: Hashed::of(&name.to_lowercase()) })
    }

    /// The hash by Google's rule.
    #[must_use]
    pub const fn google(&self) -> Hashed {
        self.google
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_every_letter_in_lower_case() {
        let name = PersonName::parse(" HORVAT  Kovač ").unwrap();
        assert_eq!(name.google(), Hashed::of("horvat kovač"));
        assert_eq!(PersonName::parse("ΓΙΏΡΓΟΣ").unwrap().google(), Hashed::of("γιώργος"));
    }

    #[test]
    fn refuses_what_is_no_name() {
        assert_eq!(PersonName::parse("-"), Err(ParseError::PersonName));
        assert_eq!(PersonName::parse(""), Err(ParseError::Empty));
    }
}
