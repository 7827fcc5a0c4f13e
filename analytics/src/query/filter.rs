//! Which events a question is about.

use std::fmt;
use std::str::FromStr;

use ::segment::{Comparisons, ParseError};

/// What must hold of an event for the question to see it, in the rule language's words:
/// `device = "mobile" and country in ("HR", "SI")`. The default sees every event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter(pub Comparisons);

impl FromStr for Filter {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Ok(Self(text.parse()?))
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}
