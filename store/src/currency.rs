//! In which money an amount is: three letters of ISO 4217.

use std::fmt;
use std::str::FromStr;

use serde_with::{DeserializeFromStr, SerializeDisplay};
use thiserror::Error;

/// A currency's code. Whether such money exists is not asked: the list changes.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, SerializeDisplay, DeserializeFromStr,
)]
pub struct Currency([u8; 3]);

/// The text is no currency's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a currency is three letters of ISO 4217, for example EUR")]
pub struct CurrencyError;

impl Currency {
    /// What the European Central Bank's rates are per one of.
    pub const EUR: Self = Self(*b"EUR");

    /// Three upper-case letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only letters are taken in.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(text: &str) -> Result<Self, CurrencyError> {
        let mut code: [u8; 3] = text.as_bytes().try_into().map_err(|_| CurrencyError)?;
        if !code.iter().all(u8::is_ascii_alphabetic) {
            return Err(CurrencyError);
        }
        code.make_ascii_uppercase();
        Ok(Self(code))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_letters_in_any_case() {
        assert_eq!("hrK".parse::<Currency>().unwrap().as_str(), "HRK");
        for text in ["", "EU", "EURO", "E R", "€", "E1R"] {
            assert!(text.parse::<Currency>().is_err(), "{text}");
        }
    }
}
