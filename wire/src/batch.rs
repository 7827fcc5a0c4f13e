//! The events of one request.

use alloc::vec::Vec;

use core::fmt;
use core::marker::PhantomData;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::Text;
use crate::from_object::object;
use crate::lenient::{millis, or_default};

/// The body of `POST /v1/events`: at most [`limits::EVENTS_PER_BATCH_MAX`] events and
/// [`limits::BODY_BYTES_MAX`] bytes. The content type does not matter; our SDK says `text/plain`,
/// because that spares the browser a preflight request.
///
/// `E` is how an event is held: the SDK's queue has events as JSON text already, the collector
/// reads them into [`Event`](crate::Event)s.
///
/// [`limits::EVENTS_PER_BATCH_MAX`]: crate::limits::EVENTS_PER_BATCH_MAX
/// [`limits::BODY_BYTES_MAX`]: crate::limits::BODY_BYTES_MAX
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(expecting = "an object", bound(deserialize = "E: Deserialize<'de>"))]
pub struct Batch<'a, E> {
    /// The site's name, as in its tag. A name and not a secret: it stands in every page.
    #[serde(borrow)]
    pub site: Text<'a>,
    /// When the batch was sent, milliseconds since 1970 by the sender's clock. Beside the time of
    /// receipt it tells how wrong that clock is.
    #[serde(deserialize_with = "millis")]
    pub sent_at: u64,
    /// What holds for the whole page.
    #[serde(borrow, default, deserialize_with = "object")]
    pub context: Context<'a>,
    /// The events, oldest first.
    #[serde(deserialize_with = "events")]
    pub events: Vec<E>,
}

/// Reads the events into room for one, which most batches have. Serde's own way makes room for four at
/// once, some 1.5 KB that most requests would only take and give back.
fn events<'de, E: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<E>, D::Error> {
    struct Events<E>(PhantomData<E>);

    impl<'de, E: Deserialize<'de>> Visitor<'de> for Events<E> {
        type Value = Vec<E>;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut sent: A) -> Result<Vec<E>, A::Error> {
            let mut events = Vec::new();
            while let Some(event) = sent.next_element()? {
                if events.is_empty() {
                    events = Vec::with_capacity(1);
                }
                events.push(event);
            }
            Ok(events)
        }
    }

    deserializer.deserialize_seq(Events(PhantomData))
}

/// What a browser tells of itself. Everything may be missing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(expecting = "an object")]
pub struct Context<'a> {
    /// The browser's first language, as BCP 47: `hr-HR`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Text<'a>>,
    /// The screen's width in CSS pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screen_width: Option<u16>,
    /// Minutes to add to local time to get UTC, as JavaScript's `getTimezoneOffset` gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone_offset: Option<i16>,
    /// True where the browser says that a program drives it (`navigator.webdriver`).
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "core::ops::Not::not")]
    pub webdriver: bool,
}
