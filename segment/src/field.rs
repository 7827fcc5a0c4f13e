//! What of an event a comparison can look at.

use alloc::string::String;

/// A field of an event. The same words stand in a rule, and (but for `user` and `category`) name the
/// column of the `events` table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The event's name: `page_view`, `identify`, a custom event's, or `funnel/step`.
    Name,
    /// `page_view`, `step`, `custom` or `identify`.
    Kind,
    /// The page's host.
    Host,
    /// The page's path, without the query.
    Path,
    /// The page's query, without the question mark.
    Query,
    /// The page's title.
    Title,
    /// What the page is about. A page has several: a comparison holds when it holds for any of
    /// them, and `!=` when none is equal.
    Category,
    /// A step's funnel.
    Funnel,
    /// A step's name within its funnel.
    Step,
    /// The page before.
    Referrer,
    /// Where the visit came from.
    Source,
    /// How the visit came.
    Medium,
    /// The source's class.
    Channel,
    /// The campaign's name.
    Campaign,
    /// ISO 3166-1 alpha-2.
    Country,
    /// The region's name.
    Region,
    /// The city's name.
    City,
    /// `desktop`, `mobile`, `tablet` and so on.
    Device,
    /// The browser's family.
    Browser,
    /// The operating system's family.
    Os,
    /// BCP 47.
    Language,
    /// The person's known id, empty where it was not told.
    User,
    /// What the site added to the event under this key; an absent one is the empty text.
    Property(String),
}

impl Field {
    /// Every field that has a word of its own, in the order of the documentation.
    pub const PLAIN: [(&'static str, Self); 22] = [
        ("name", Self::Name),
        ("kind", Self::Kind),
        ("host", Self::Host),
        ("path", Self::Path),
        ("query", Self::Query),
        ("title", Self::Title),
        ("category", Self::Category),
        ("funnel", Self::Funnel),
        ("step", Self::Step),
        ("referrer", Self::Referrer),
        ("source", Self::Source),
        ("medium", Self::Medium),
        ("channel", Self::Channel),
        ("campaign", Self::Campaign),
        ("country", Self::Country),
        ("region", Self::Region),
        ("city", Self::City),
        ("device", Self::Device),
        ("browser", Self::Browser),
        ("os", Self::Os),
        ("language", Self::Language),
        ("user", Self::User),
    ];

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        let (_, field) = Self::PLAIN.into_iter().find(|(name, _)| *name == word)?;
        Some(field)
    }

    /// The field's word; `None` for a property.
    pub(crate) fn word(&self) -> Option<&'static str> {
        let (word, _) = Self::PLAIN.into_iter().find(|(_, field)| field == self)?;
        Some(word)
    }
}
