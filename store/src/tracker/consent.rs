//! What holds of a visitor who has not answered, and where.

use std::fmt;
use std::str::FromStr;

use serde_with::{DeserializeFromStr, SerializeDisplay};
use thiserror::Error;
use wire::Choice;

/// The European Economic Area: the 27 members of the European Union
/// (<https://european-union.europa.eu/principles-countries-history/eu-countries_en>), Iceland, Liechtenstein
/// and Norway (<https://www.efta.int/eea>).
const EEA: &str =
    "AT,BE,BG,HR,CY,CZ,DK,EE,FI,FR,DE,GR,HU,IE,IT,LV,LT,LU,MT,NL,PL,PT,RO,SK,SI,ES,SE,IS,LI,NO";
const PURPOSES: [&str; 3] = ["analytics", "personalization", "ads"];
/// More countries than there are.
const COUNTRIES_MAX: usize = 300;

/// A choice for each purpose that is named: `analytics=denied,ads=denied`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, SerializeDisplay, DeserializeFromStr)]
pub struct ConsentDefault([Option<Choice>; 3]);

/// Such a default in some countries: `DE,FR:analytics=denied`; `EEA` stands for its thirty.
#[derive(Clone, Debug, PartialEq, Eq, SerializeDisplay, DeserializeFromStr)]
pub struct ConsentRule {
    /// ISO 3166-1 alpha-2, or `EEA`.
    countries: Vec<String>,
    /// What holds there; what it does not name is as elsewhere.
    pub consent: ConsentDefault,
}

/// Why a text is no default of consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ConsentError {
    /// No `purpose=choice`, or another purpose or choice than there are.
    #[error(
        "consent is analytics, personalization or ads, each granted, denied or unknown, \
         for example analytics=denied,ads=denied"
    )]
    Choice,
    /// No countries before the colon.
    #[error(
        "countries are two letters of ISO 3166-1, or EEA, before a colon, for example DE,FR:analytics=denied"
    )]
    Countries,
}

const fn word(choice: Choice) -> &'static str {
    match choice {
        Choice::Unknown => "unknown",
        Choice::Granted => "granted",
        Choice::Denied => "denied",
    }
}

const fn strictness(choice: Choice) -> u8 {
    match choice {
        Choice::Granted => 0,
        Choice::Unknown => 1,
        Choice::Denied => 2,
    }
}

impl ConsentDefault {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// A choice for analytics, personalization and ads each, with spaces between them, as the tracker
    /// keeps a visitor's own.
    #[must_use]
    pub fn words(&self) -> String {
        self.0.map(|choice| word(choice.unwrap_or_default())).join(" ")
    }

    /// The same; what it does not name is as in the other.
    #[must_use]
    pub(super) fn or(self, other: Self) -> Self {
        let mut both = self.0.into_iter().zip(other.0).map(|(own, other)| own.or(other));
        Self(std::array::from_fn(|_| both.next().flatten()))
    }

    /// Of each purpose the stricter of two choices.
    #[must_use]
    pub(super) fn strictest(self, other: Self) -> Self {
        let stricter = |one: Option<Choice>, other: Option<Choice>| {
            let (one, other) = (one.unwrap_or_default(), other.unwrap_or_default());
            if strictness(one) < strictness(other) { other } else { one }
        };
        let mut both = self.0.into_iter().zip(other.0).map(|(one, other)| stricter(one, other));
        Self(std::array::from_fn(|_| both.next()))
    }
}

impl ConsentRule {
    pub(super) fn holds_in(&self, country: &str) -> bool {
        let is_in = |named: &String| match named.as_str() {
            "EEA" => EEA.split(',').any(|code| code == country),
            code => code == country,
        };
        self.countries.iter().any(is_in)
    }
}

impl FromStr for ConsentDefault {
    type Err = ConsentError;

    fn from_str(text: &str) -> Result<Self, ConsentError> {
        let mut choices = [None; 3];
        for pair in text.split(',') {
            let (purpose, choice) = pair.split_once('=').ok_or(ConsentError::Choice)?;
            let choice = [Choice::Unknown, Choice::Granted, Choice::Denied]
                .into_iter()
                .find(|known| word(*known) == choice.trim())
                .ok_or(ConsentError::Choice)?;
            let mut slots = PURPOSES.iter().zip(&mut choices);
            let (_, slot) = slots
                .find(|(known, slot)| **known == purpose.trim() && slot.is_none())
                .ok_or(ConsentError::Choice)?;
            *slot = Some(choice);
        }
        Ok(Self(choices))
    }
}

impl fmt::Display for ConsentDefault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = PURPOSES.iter().zip(self.0).filter_map(|(purpose, choice)| {
            choice.map(|choice| format!("{purpose}={}", word(choice)))
        });
        out.write_str(&named.collect::<Vec<_>>().join(","))
    }
}

impl FromStr for ConsentRule {
    type Err = ConsentError;

    fn from_str(text: &str) -> Result<Self, ConsentError> {
        let (countries, consent) = text.split_once(':').ok_or(ConsentError::Countries)?;
        let countries = countries
            .split(',')
            .map(|country| country.trim().to_ascii_uppercase())
            .map(|country| {
                let letters =
                    country.len() == 2 && country.bytes().all(|b| b.is_ascii_alphabetic());
                if letters || country == "EEA" { Ok(country) } else { Err(ConsentError::Countries) }
            })
            .collect::<Result<Vec<_>, _>>()?;
        if countries.len() > COUNTRIES_MAX {
            return Err(ConsentError::Countries);
        }
        Ok(Self { countries, consent: consent.parse()? })
    }
}

impl fmt::Display for ConsentRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.countries.join(","), self.consent)
    }
}
