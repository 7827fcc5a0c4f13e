//! An event on its way out of a page, where every byte of code is downloaded.

use serde::Serialize;

/// What an [`Event`](crate::Event) is read from: the same fields under the same names, but all
/// borrowed and empty where absent. Nothing to own is nothing to free, which is a third of the code.
///
/// `J` is a text that is JSON already: the page has a writer of its own for what it gives as objects
/// and lists.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct NewEvent<'a, J> {
    /// A UUID of version 7.
    pub id: &'a str,
    /// A [`Kind`](crate::Kind) by name.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// When it happened, milliseconds since 1970 by the browser's clock.
    pub at: u64,
    /// The visitor's id, a UUID; none where nothing is kept of the visitor.
    #[serde(skip_serializing_if = "is_empty")]
    pub visitor: &'a str,
    /// The session's id, a UUID; likewise.
    #[serde(skip_serializing_if = "is_empty")]
    pub session: &'a str,
    /// A known id of the person.
    #[serde(skip_serializing_if = "is_empty")]
    pub user: &'a str,
    /// A [`Consent`](crate::Consent).
    pub consent: J,
    /// The page's whole address.
    #[serde(skip_serializing_if = "is_empty")]
    pub url: &'a str,
    /// Where the page was reached from.
    #[serde(skip_serializing_if = "is_empty")]
    pub referrer: &'a str,
    /// The page's title.
    #[serde(skip_serializing_if = "is_empty")]
    pub title: &'a str,
    /// What the page is about: a list of texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub categories: Option<J>,
    /// A custom event's name.
    #[serde(skip_serializing_if = "is_empty")]
    pub name: &'a str,
    /// A step's funnel.
    #[serde(skip_serializing_if = "is_empty")]
    pub funnel: &'a str,
    /// A step's name within its funnel.
    #[serde(skip_serializing_if = "is_empty")]
    pub step: &'a str,
    /// What the site adds, an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub properties: Option<J>,
}

fn is_empty(text: &str) -> bool {
    text.is_empty()
}
