//! A postal code. It leaves unhashed, so its letters are checked.

use std::fmt;

use crate::ParseError;
use crate::text::canonical;

/// The longest in use have 10 characters (`94035-1234`); some room for spacing.
const BYTES_MAX: usize = 16;

/// A postal code as Google wants it: as it is written, trimmed. Only Latin letters, digits, inner
/// spaces and hyphens, and a letter or a digit first: a spreadsheet cannot take it for a formula.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Zip(String);

impl Zip {
    /// Reads a postal code of any country; case and dashes stay as they are.
    ///
    /// # Errors
    ///
    /// [`ParseError::Zip`] where another character stands in it or no digit or letter is first.
    pub fn parse(raw: &str) -> Result<Self, ParseError> {
        let zip = canonical(raw, BYTES_MAX)?;
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-');
        let first = zip.starts_with(|letter: char| letter.is_ascii_alphanumeric());
        if first && zip.bytes().all(letters) { Ok(Self(zip)) } else { Err(ParseError::Zip) }
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Zip {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_it_as_it_is_written() {
        for zip in ["10000", "02139", "SW1A 1AA", "94035-1234", "m1 1ae"] {
            assert_eq!(Zip::parse(zip).unwrap().as_str(), zip);
        }
        assert_eq!(Zip::parse("  370  01 ").unwrap().as_str(), "370 01");
    }

    #[test]
    fn refuses_what_a_spreadsheet_would_run() {
        for raw in ["=1+1", "+10000", "-10000", "@SUM", "10,000", "10\"000", "１００００", "-"]
        {
            assert_eq!(Zip::parse(raw), Err(ParseError::Zip), "{raw}");
        }
        assert_eq!(
            Zip::parse("12345678901234567"),
            Err(ParseError::TooLong { bytes_max: BYTES_MAX })
        );
    }
}
