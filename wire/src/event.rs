//! One thing a visitor did, as it is sent: raw, unchecked.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::from_object::object;
use crate::lenient::{millis, or_default};
use crate::{Consent, Text};

/// What sort of thing happened. On the wire it is a text (`Event::kind`), so that an unknown kind
/// from a newer SDK costs one event and not the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A page was shown: first load or history navigation.
    PageView,
    /// A step of a funnel the site declares: `footfall('step', 'checkout', 'shipping')`.
    Step,
    /// Anything else the site names: `footfall('add_to_cart', {...})`.
    Custom,
    /// A known id and traits for this visitor: `footfall('identify', id, {...})`.
    Identify,
    /// How long a page was really looked at, and how far it was scrolled: a view's parts add up.
    Engagement,
}

impl Kind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 5] =
        [Self::PageView, Self::Step, Self::Custom, Self::Identify, Self::Engagement];

    /// The kind's name on the wire and in ClickHouse.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PageView => "page_view",
            Self::Step => "step",
            Self::Custom => "custom",
            Self::Identify => "identify",
            Self::Engagement => "engagement",
        }
    }

    /// Reads a kind's name; `None` for one this release does not know.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// One event, self-contained: the SDK keeps events for days when it is offline, and by then the
/// visitor, the session or the consent of the page may be others.
///
/// `P` is how properties are held: the SDK has them as JSON text already, the collector reads them
/// into pairs. Absent fields are left out of the JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(expecting = "an object", bound(deserialize = "P: Deserialize<'de>"))]
pub struct Event<'a, P> {
    /// A UUID (version 7 from our SDK), made once: every retry carries the same one.
    #[serde(borrow)]
    pub id: Text<'a>,
    /// A [`Kind`] by name.
    #[serde(borrow, rename = "type")]
    pub kind: Text<'a>,
    /// When it happened, milliseconds since 1970 by the sender's clock.
    #[serde(deserialize_with = "millis")]
    pub at: u64,
    /// The visitor's id, a UUID kept by the browser.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub visitor: Option<Text<'a>>,
    /// The session's id, a UUID kept by the browser.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Text<'a>>,
    /// A known id of the person (the site's own), once `identify` has told it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Text<'a>>,
    /// What the visitor has agreed to at this moment.
    #[serde(default, deserialize_with = "object")]
    pub consent: Consent,
    /// The page's whole address.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Text<'a>>,
    /// Where the page was reached from.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub referrer: Option<Text<'a>>,
    /// The page's title.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Text<'a>>,
    /// What the page is about, from `<meta name="footfall:category">`, most general first.
    #[serde(
        borrow,
        default = "Vec::new",
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub categories: Vec<Text<'a>>,
    /// A custom event's name.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Text<'a>>,
    /// A step's funnel.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub funnel: Option<Text<'a>>,
    /// A step's name within its funnel.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Text<'a>>,
    /// What the site adds (of an `identify`: the traits), a JSON object.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub properties: Option<P>,
}
