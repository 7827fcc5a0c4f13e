//! How a site's pages are measured: what its script carries, and where it is served.

mod consent;
mod page_path;
mod time_zone;
mod word;

use serde::{Deserialize, Serialize};

pub use consent::{ConsentDefault, ConsentError, ConsentRule};
pub use page_path::{PagePath, PagePathError};
pub use time_zone::{SiteTimeZone, SiteTimeZoneError};
pub use word::{Word, WordError};

use crate::visitors::Visitors;

/// Words of one list, and rules of consent: what is baked into a script is downloaded by every visitor.
pub const TRACKER_LIST_MAX: usize = 50;

/// What holds in the pages of a site. A field that a definition lacks has its default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrackerSettings {
    /// Optional parts of the tracker, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<Word>,
    /// Whether another `#...` is another page.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hash_routes: bool,
    /// Whether a page's address is what its `<link rel="canonical">` says.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub canonical: bool,
    /// What holds of a visitor who has not answered.
    #[serde(skip_serializing_if = "ConsentDefault::is_empty")]
    pub consent: ConsentDefault,
    /// The same, where the visitor is in one of these countries; the first that fits holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub consent_in: Vec<ConsentRule>,
    /// What happens while it is not known whether a visitor agrees to be measured.
    #[serde(skip_serializing_if = "BeforeConsent::is_default")]
    pub before_consent: BeforeConsent,
    /// Where midnight ends a session; nowhere without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_midnight: Option<SiteTimeZone>,
    /// Other hosts whose pages are the same site's: links to them carry the visitor's id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<Word>,
    /// Parameters of a page's address that hold what a visitor searched for; empty: the tracker's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub search_parameters: Vec<Word>,
    /// Folders of a page's path behind which what was searched for stands, as `search` in `/search/red+mug`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub search_folders: Vec<Word>,
    /// Endings of files whose links are downloads; empty: the tracker's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub downloads: Vec<Word>,
    /// Whether e-mail, phone and names leave the page as they are, to be hashed by the collector.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub raw_traits: bool,
    /// The country's code by which the page reads a national phone number, for example 385.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_code: Option<u16>,
    /// Where the script is served too, beside `/s/SITE.js`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script_path: Option<PagePath>,
    /// Where the script sends to in place of `/v1/events`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events_path: Option<PagePath>,
}

/// What happens while it is not known whether a visitor agrees to be measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum BeforeConsent {
    /// Events are sent, with an answer of `unknown`.
    #[default]
    Send,
    /// Nothing is sent or kept.
    Nothing,
    /// Events are sent without an id, and nothing is kept in the browser.
    Cookieless,
    /// Events wait in the page's memory.
    Wait,
}

impl BeforeConsent {
    /// As it is written in a definition and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Nothing => "nothing",
            Self::Cookieless => "cookieless",
            Self::Wait => "wait",
        }
    }

    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Why settings do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrackerError {
    /// More than [`TRACKER_LIST_MAX`].
    #[error("{list} has {count} entries; at most {TRACKER_LIST_MAX} are kept")]
    TooMany {
        /// Which list.
        list: &'static str,
        /// How many it has.
        count: usize,
    },
    /// Its collector takes no event without an id.
    #[error(
        "before-consent=cookieless sends events without an id, which visitors=kept leaves out; \
         visitors=either takes them"
    )]
    CookielessKept,
    /// A browser would not run it.
    #[error("the script's path {path} does not end in .js")]
    NotAScript {
        /// As given.
        path: PagePath,
    },
    /// One address cannot be both.
    #[error("{path} cannot be the script's path and the events' path at once")]
    SamePath {
        /// As given.
        path: PagePath,
    },
}

impl TrackerSettings {
    /// Whether what the script says depends on where the visitor is.
    #[must_use]
    pub const fn differs_by_country(&self) -> bool {
        !self.consent_in.is_empty()
    }

    /// What holds of a visitor who has not answered, by the country they are in (ISO 3166-1 alpha-2). Of
    /// one who may be anywhere (`None`), the strictest that holds anywhere does.
    #[must_use]
    pub fn consent_in(&self, country: Option<&str>) -> ConsentDefault {
        let in_rule = |rule: &ConsentRule| rule.consent.or(self.consent);
        match country {
            Some(country) => {
                let rule = self.consent_in.iter().find(|rule| rule.holds_in(country));
                rule.map_or(self.consent, in_rule)
            }
            None => {
                self.consent_in.iter().map(in_rule).fold(self.consent, ConsentDefault::strictest)
            }
        }
    }

    /// # Errors
    /// Where settings do not fit together; see [`TrackerError`].
    pub(crate) fn check(&self, visitors: Visitors) -> Result<(), TrackerError> {
        let lists = [
            ("with", self.with.len()),
            ("consent-in", self.consent_in.len()),
            ("domain", self.domains.len()),
            ("search-parameter", self.search_parameters.len()),
            ("search-folder", self.search_folders.len()),
            ("download", self.downloads.len()),
        ];
        if let Some((list, count)) = lists.into_iter().find(|(_, count)| *count > TRACKER_LIST_MAX)
        {
            return Err(TrackerError::TooMany { list, count });
        }
        if self.before_consent == BeforeConsent::Cookieless && visitors == Visitors::Kept {
            return Err(TrackerError::CookielessKept);
        }
        match &self.script_path {
            Some(path) if !path.as_str().ends_with(".js") => {
                Err(TrackerError::NotAScript { path: path.clone() })
            }
            Some(path) if self.events_path.as_ref() == Some(path) => {
                Err(TrackerError::SamePath { path: path.clone() })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
