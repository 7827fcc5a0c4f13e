//! A phone number, by libphonenumber: only numbers that exist in a numbering plan are kept.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, Region};

use crate::text::canonical;
use crate::{Country, Hashed, ParseError};

/// Far more than a number with its extension and its punctuation, in full-width digits too.
const BYTES_MAX: usize = 128;

/// A checked phone number, held only as its hashes: the raw text does not outlive [`Phone::parse`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone {
    google: Hashed,
    meta: Hashed,
}

impl Phone {
    /// Reads a number as people write it: `+385 91 234 5678`, `00385 91...`, and `091/234-5678`
    /// where `region` says Croatia. An extension is left out, letters are read as keys. A number
    /// that was hashed already is kept as it is for every platform.
    ///
    /// # Errors
    ///
    /// [`ParseError::Phone`] where no such number can exist, or where a national number comes
    /// without a region: a guessed country is another person's number.
    pub fn parse(raw: &str, region: Option<Country>) -> Result<Self, ParseError> {
        if let Some(hashed) = Hashed::recognize(raw)? {
            return Ok(Self { google: hashed, meta: hashed });
        }
        let text = canonical(raw, BYTES_MAX)?;
        let region = region.and_then(|country| Region::from_code(country.as_str()).ok());
        let number = PHONE_NUMBER_UTIL.parse(&text, region).map_err(|_| ParseError::Phone)?;
        if !number.is_valid() {
            return Err(ParseError::Phone);
        }
        let e164 = number.format_as(PhoneNumberFormat::E164);
        let digits = e164.trim_start_matches('+');
        Ok(Self { google: Hashed::of(&e164), meta: Hashed::of(digits) })
    }

    /// The hash by Google's rule: E.164 with its plus. TikTok reads the same.
    #[must_use]
    pub const fn google(&self) -> Hashed {
        self.google
    }

    /// The hash by Meta's rule: the digits of E.164, without the plus. Snapchat reads the same.
    #[must_use]
    pub const fn meta(&self) -> Hashed {
        self.meta
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn croatia() -> Option<Country> {
        Country::parse("HR").ok()
    }

    #[test]
    fn one_number_however_it_is_written() {
        let ways = [
            "+385912345678",
            "00385 91 234 5678",
            "091/234-5678",
            "+385 (0)91 234 5678",
            "＋３８５９１２３４５６７８",
        ];
        for raw in ways {
            let phone = Phone::parse(raw, croatia()).unwrap();
            assert_eq!(phone.google(), Hashed::of("+385912345678"), "{raw}");
            assert_eq!(phone.meta(), Hashed::of("385912345678"), "{raw}");
        }
    }

    #[test]
    fn guesses_no_country() {
        assert_eq!(Phone::parse("091 234 5678", None), Err(ParseError::Phone));
        assert!(Phone::parse("+385 91 234 5678", None).is_ok());
    }

    #[test]
    fn refuses_what_no_plan_knows() {
        for raw in ["123", "+385", "not a number", "+999 123 456 789", "0000000000", "+"] {
            assert_eq!(Phone::parse(raw, croatia()), Err(ParseError::Phone), "{raw}");
        }
    }

    #[test]
    fn a_hash_is_never_hashed_twice() {
        let plain = Phone::parse("+385912345678", None).unwrap();
        let again = Phone::parse(&plain.google().to_string(), None).unwrap();
        assert_eq!(again.google(), plain.google());
    }
}
