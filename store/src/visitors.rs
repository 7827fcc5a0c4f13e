//! How a site's visitors are told apart.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Whose id a visitor goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visitors {
    /// The one their browser keeps and sends; an event without one is left out.
    #[default]
    Kept,
    /// One that the collector makes for a day; what is sent is not looked at.
    Cookieless,
    /// The browser's where one is sent, else the collector's for the day: nothing is kept before a
    /// visitor has decided.
    Either,
}

/// Why a text is none of [`Visitors`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("visitors are kept, cookieless or either")]
pub struct VisitorsError;

impl Visitors {
    const ALL: [Self; 3] = [Self::Kept, Self::Cookieless, Self::Either];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Cookieless => "cookieless",
            Self::Either => "either",
        }
    }

    /// Whether it is what a site has where nothing else was said.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl FromStr for Visitors {
    type Err = VisitorsError;

    fn from_str(text: &str) -> Result<Self, VisitorsError> {
        Self::ALL.into_iter().find(|visitors| visitors.as_str() == text).ok_or(VisitorsError)
    }
}

impl fmt::Display for Visitors {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}
