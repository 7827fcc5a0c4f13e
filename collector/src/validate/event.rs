//! One event, checked.

use std::borrow::Cow;

use uuid::Uuid;
use wire::limits::{NAME_BYTES_MAX, URL_BYTES_MAX, USER_BYTES_MAX};
use wire::{Consent, Event, Kind};

use super::properties::{Properties, PropertiesLeftOut, Property};
use super::{DropReason, Times};
use crate::cookieless::Visitor;
use crate::enrich::cut_clean;

/// An event that may be kept. Its texts are still the sender's own, cut to their limits.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ValidEvent<'a> {
    pub(crate) id: Uuid,
    pub(crate) kind: Kind,
    /// As it is stored: `page_view`, `identify`, a custom event's name, or funnel/step.
    pub(crate) name: Cow<'a, str>,
    /// Milliseconds since 1970, the sender's clock put right.
    pub(crate) occurred_at: i64,
    pub(crate) visitor: Uuid,
    pub(crate) session: Uuid,
    pub(crate) user: &'a str,
    pub(crate) consent: Consent,
    /// Empty, or an http(s) address.
    pub(crate) url: &'a str,
    pub(crate) referrer: &'a str,
    pub(crate) title: &'a str,
    pub(crate) categories: &'a [wire::Text<'a>],
    pub(crate) funnel: &'a str,
    pub(crate) step: &'a str,
    /// Of an identify the traits: read for identifiers, never stored.
    pub(crate) properties: Vec<Property<'a>>,
    pub(crate) properties_left_out: PropertiesLeftOut,
}

/// Checks an event of the visitor; `properties` are its own, flattened.
pub(crate) fn event<'a, P>(
    event: &'a Event<'a, P>,
    properties: Properties<'a>,
    times: &Times,
    visitor: &Visitor,
) -> Result<ValidEvent<'a>, DropReason> {
    let valid = maybe_nameless(event, properties, times, visitor)?;
    match (valid.kind, valid.user) {
        (Kind::Identify, "") => Err(DropReason::UserMissing),
        _ => Ok(valid),
    }
}

/// The same where an `identify` may be of the visitor alone, whose person has no id yet: so it is with Segment's
/// libraries, and a site that calls ours without the id has made a mistake.
pub(crate) fn maybe_nameless<'a, P>(
    event: &'a Event<'a, P>,
    properties: Properties<'a>,
    times: &Times,
    visitor: &Visitor,
) -> Result<ValidEvent<'a>, DropReason> {
    let kind = Kind::from_name(&event.kind).ok_or(DropReason::TypeUnknown)?;
    let id = Uuid::try_parse(&event.id).map_err(|_| DropReason::IdNotUuid)?;
    let ids = [&event.visitor, &event.session].map(|id| text(id, usize::MAX));
    let (visitor, session) = visitor.ids(ids[0], ids[1])?;
    let occurred_at = times.occurred_at(event.at)?;
    let user = text(&event.user, usize::MAX);
    if user.len() > USER_BYTES_MAX {
        return Err(DropReason::UserTooLong);
    }
    let (funnel, step) = (text(&event.funnel, NAME_BYTES_MAX), text(&event.step, NAME_BYTES_MAX));
    Ok(ValidEvent {
        id,
        kind,
        name: name(kind, event, funnel, step)?,
        occurred_at,
        visitor,
        session: session.unwrap_or_else(|| session_of_day(visitor, occurred_at)),
        user,
        consent: event.consent,
        url: url(kind, clean_text(&event.url, URL_BYTES_MAX))?,
        referrer: clean_text(&event.referrer, URL_BYTES_MAX),
        title: clean_text(&event.title, NAME_BYTES_MAX),
        categories: &event.categories,
        funnel: if kind == Kind::Step { funnel } else { "" },
        step: if kind == Kind::Step { step } else { "" },
        properties: properties.pairs,
        properties_left_out: properties.left_out,
    })
}

fn name<'a, P>(
    kind: Kind,
    event: &'a Event<'a, P>,
    funnel: &str,
    step: &str,
) -> Result<Cow<'a, str>, DropReason> {
    match kind {
        Kind::PageView | Kind::Identify | Kind::Engagement => Ok(Cow::Borrowed(kind.as_str())),
        Kind::Custom => match text(&event.name, NAME_BYTES_MAX) {
            "" => Err(DropReason::NameMissing),
            name => Ok(Cow::Borrowed(name)),
        },
        Kind::Step if funnel.is_empty() => Err(DropReason::FunnelMissing),
        Kind::Step if step.is_empty() => Err(DropReason::StepMissing),
        Kind::Step => Ok(Cow::Owned(format!("{funnel}/{step}"))),
    }
}

/// A page view without its page says nothing; any other event may happen on a server.
fn url(kind: Kind, url: &str) -> Result<&str, DropReason> {
    let is_web = |scheme: &str| {
        url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            && url.len() > scheme.len()
    };
    match url {
        "" if kind == Kind::PageView => Err(DropReason::UrlMissing),
        "" => Ok(""),
        _ if is_web("https://") || is_web("http://") => Ok(url),
        _ => Err(DropReason::UrlInvalid),
    }
}

/// A sender without sessions (a server) gets one per visitor and day: every collector, knowing
/// nothing of the others, must come to the same.
fn session_of_day(visitor: Uuid, occurred_at: i64) -> Uuid {
    const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;
    Uuid::new_v5(&visitor, &occurred_at.div_euclid(DAY_MILLIS).to_le_bytes())
}

fn text<'a>(text: &'a Option<wire::Text<'a>>, bytes_max: usize) -> &'a str {
    cut(text.as_deref().unwrap_or_default().trim(), bytes_max)
}

/// The same of a text that persons' data is looked for in.
fn clean_text<'a>(text: &'a Option<wire::Text<'a>>, bytes_max: usize) -> &'a str {
    cut_clean(text.as_deref().unwrap_or_default().trim(), bytes_max)
}

/// The text up to so many bytes, never in the middle of a character.
pub(crate) fn cut(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max)).unwrap_or(text)
}

/// The same of a text that may be held already.
pub(crate) fn cut_cow(text: Cow<'_, str>, bytes_max: usize) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(cut(text, bytes_max)),
        Cow::Owned(mut text) => {
            text.truncate(text.floor_char_boundary(bytes_max));
            Cow::Owned(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    fn check(json: &str) -> Result<(String, Uuid), DropReason> {
        let sent: Event<'_, ()> = serde_json::from_str(json).unwrap();
        event(
            &sent,
            Properties::default(),
            &Times::of_batch(NOW.unsigned_abs(), NOW),
            &Visitor::Sent,
        )
        .map(|valid| (valid.name.into_owned(), valid.session))
    }

    /// An event of the kind with these further fields.
    fn sent(kind: &str, fields: &str) -> String {
        format!(
            r#"{{"id":"018f4d5e-0000-7000-8000-000000000001","type":"{kind}","at":{NOW},
            "visitor":"018f4d5e-0000-7000-8000-00000000000a"{fields}}}"#
        )
    }

    #[test]
    fn each_kind_has_its_stored_name() {
        let name = |kind, fields| check(&sent(kind, fields)).map(|(name, _)| name);
        assert_eq!(
            name("page_view", r#","url":"https://shop.example/""#).as_deref(),
            Ok("page_view")
        );
        assert_eq!(name("identify", r#","user":"u1""#).as_deref(), Ok("identify"));
        assert_eq!(name("engagement", r#","name":"other""#).as_deref(), Ok("engagement"));
        assert_eq!(name("custom", r#","name":" add_to_cart ""#).as_deref(), Ok("add_to_cart"));
        assert_eq!(
            name("step", r#","funnel":"checkout","step":"shipping""#).as_deref(),
            Ok("checkout/shipping")
        );
    }

    #[test]
    fn a_missing_session_is_one_per_visitor_and_day() {
        let day = 24 * 60 * 60 * 1000;
        let visitor = Uuid::from_u128(1);
        let session = |at| session_of_day(visitor, at);
        assert_eq!(session(NOW - NOW % day), session(NOW - NOW % day + day - 1));
        assert_ne!(session(NOW), session(NOW + day));
    }

    #[test]
    fn cuts_between_characters() {
        assert_eq!(cut("ž", 1), "");
        assert_eq!(cut("až", 3), "až");
        assert_eq!(cut("abc", usize::MAX), "abc");
    }
}
