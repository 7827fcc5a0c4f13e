//! An event on its way out of a page, where every byte of code is downloaded.

use serde::{Serialize, Serializer};

use crate::Consent;
use crate::limits::CATEGORIES_MAX;

/// What an [`Event`](crate::Event) is read from: the same fields under the same names, but all
/// borrowed and empty where absent. Nothing to own is nothing to free, which is a third of the code.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct NewEvent<'a, P> {
    /// A UUID of version 7.
    pub id: &'a str,
    /// A [`Kind`](crate::Kind) by name.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// When it happened, milliseconds since 1970 by the browser's clock.
    pub at: u64,
    /// The visitor's id, a UUID.
    pub visitor: &'a str,
    /// The session's id, a UUID.
    pub session: &'a str,
    /// A known id of the person.
    #[serde(skip_serializing_if = "is_empty")]
    pub user: &'a str,
    /// What the visitor has agreed to.
    pub consent: Consent,
    /// The page's whole address.
    #[serde(skip_serializing_if = "is_empty")]
    pub url: &'a str,
    /// Where the page was reached from.
    #[serde(skip_serializing_if = "is_empty")]
    pub referrer: &'a str,
    /// The page's title.
    #[serde(skip_serializing_if = "is_empty")]
    pub title: &'a str,
    /// What the page is about.
    #[serde(skip_serializing_if = "Levels::is_empty")]
    pub categories: Levels<'a>,
    /// A custom event's name.
    #[serde(skip_serializing_if = "is_empty")]
    pub name: &'a str,
    /// A step's funnel.
    #[serde(skip_serializing_if = "is_empty")]
    pub funnel: &'a str,
    /// A step's name within its funnel.
    #[serde(skip_serializing_if = "is_empty")]
    pub step: &'a str,
    /// What the site adds, a JSON object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub properties: Option<P>,
}

/// A category's path, `Shoes/Running`: written as its levels, most general first, each the whole path
/// down to it: `["Shoes", "Shoes/Running"]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Levels<'a>(pub &'a str);

impl Levels<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Levels<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq as _;

        let mut levels = serializer.serialize_seq(None)?;
        let mut left = CATEGORIES_MAX;
        for (end, byte) in self.0.bytes().chain([b'/']).enumerate() {
            if byte == b'/' && left > 0 {
                left -= 1;
                levels.serialize_element(self.0.get(..end).unwrap_or_default())?;
            }
        }
        levels.end()
    }
}

fn is_empty(text: &str) -> bool {
    text.is_empty()
}
