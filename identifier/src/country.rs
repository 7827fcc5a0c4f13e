//! A country, by a real table: never the first two letters of its name.

use std::fmt;
use std::str::FromStr;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::ParseError;
use crate::country_name::ALIASES;
use crate::text::canonical;

/// Longer than the longest official name of a country.
const BYTES_MAX: usize = 128;

/// A country by its ISO 3166-1 alpha-2 code in upper case, so that it is safe to write anywhere. No
/// platform wants it hashed in Google's profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country(&'static str);

impl Country {
    /// Reads a code (`HR`, `hrv`) or a name, in English or in the country's own language
    /// (`Croatia`, `Republika Hrvatska`); case, accents and punctuation do not matter.
    ///
    /// # Errors
    ///
    /// [`ParseError::Country`] for everything else. Numbers are not read: in this field they are
    /// postal codes that slipped.
    pub fn parse(raw: &str) -> Result<Self, ParseError> {
        let name = folded(&canonical(raw, BYTES_MAX)?);
        if name.is_empty() || name.chars().any(char::is_numeric) {
            return Err(ParseError::Country);
        }
        let alias = ALIASES.iter().find(|(alias, _)| *alias == name);
        let code = alias.map_or(name.as_str(), |(_, code)| code);
        // The order matters: celes has Samoa's name among the aliases of American Samoa.
        celes::Country::from_str(code)
            .or_else(|_| celes::Country::from_alias(code))
            .map(|country| Self(country.alpha2))
            .map_err(|_| ParseError::Country)
    }

    /// The code: two upper-case letters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Country {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.0)
    }
}

/// Lower case without accents, spaces and punctuation: how the tables are keyed.
fn folded(name: &str) -> String {
    let letters =
        name.nfkd().filter(|letter| letter.is_alphanumeric() && !is_combining_mark(*letter));
    letters.nfc().collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_codes_and_names() {
        let known = [
            ("hr", "HR"),
            ("HRV", "HR"),
            ("Hrvatska", "HR"),
            ("Republika Hrvatska", "HR"),
            ("UK", "GB"),
            ("U.K.", "GB"),
            ("England", "GB"),
            ("EL", "GR"),
            ("Ελλάδα", "GR"),
            ("Slovenija", "SI"),
            ("SVN", "SI"),
            ("Österreich", "AT"),
            ("AUT", "AT"),
            ("Česko", "CZ"),
            ("Deutschland", "DE"),
            ("U.S.A.", "US"),
            ("United States", "US"),
            ("Bosna i Hercegovina", "BA"),
            ("Bosnia & Herzegovina", "BA"),
            ("Côte d'Ivoire", "CI"),
            ("Türkiye", "TR"),
            ("The Netherlands", "NL"),
            ("Србија", "RS"),
            ("Россия", "RU"),
            ("日本", "JP"),
            ("Magyarország", "HU"),
            ("South Korea", "KR"),
            ("Viet Nam", "VN"),
            ("Samoa", "WS"),
            ("Taiwan", "TW"),
            ("Åland", "AX"),
        ];
        for (raw, code) in known {
            assert_eq!(Country::parse(raw).map(Country::as_str), Ok(code), "{raw}");
        }
    }

    #[test]
    fn refuses_what_is_no_country() {
        for raw in ["XX", "Europe", "EU", "10000", "040", "=1+1", "Zagreb", "…"] {
            assert_eq!(Country::parse(raw), Err(ParseError::Country), "{raw}");
        }
        assert_eq!(Country::parse(" "), Err(ParseError::Empty));
    }

    #[test]
    fn every_alias_is_folded_and_leads_to_its_country() {
        for &(alias, code) in ALIASES {
            assert_eq!(folded(alias), alias, "{alias}");
            assert_eq!(Country::parse(alias).map(Country::as_str), Ok(code), "{alias}");
        }
    }
}
