//! What Segment's libraries send, read leniently: a field of another type than the common one is as
//! if it were absent, because dozens of libraries in as many languages do not agree.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use wire::{Choice, Consent, Text};

type Raw<'a> = Option<&'a RawValue>;

/// The body of `/v1/batch`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
pub(super) struct Envelope<'a> {
    #[serde(borrow)]
    pub(super) batch: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) write_key: Raw<'a>,
    #[serde(borrow, default)]
    pub(super) sent_at: Raw<'a>,
}

/// One message; of a call for a single one the whole body.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, expecting = "an object")]
pub(super) struct Message<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Raw<'a>,
    #[serde(borrow)]
    pub(super) message_id: Raw<'a>,
    #[serde(borrow)]
    pub(super) anonymous_id: Raw<'a>,
    #[serde(borrow)]
    pub(super) user_id: Raw<'a>,
    #[serde(borrow)]
    pub(super) previous_id: Raw<'a>,
    #[serde(borrow)]
    pub(super) group_id: Raw<'a>,
    #[serde(borrow)]
    pub(super) event: Raw<'a>,
    #[serde(borrow)]
    pub(super) name: Raw<'a>,
    #[serde(borrow)]
    pub(super) category: Raw<'a>,
    #[serde(borrow)]
    pub(super) properties: Raw<'a>,
    #[serde(borrow)]
    pub(super) traits: Raw<'a>,
    #[serde(borrow)]
    pub(super) context: Raw<'a>,
    #[serde(borrow)]
    pub(super) timestamp: Raw<'a>,
    #[serde(borrow)]
    pub(super) original_timestamp: Raw<'a>,
    #[serde(borrow)]
    pub(super) sent_at: Raw<'a>,
    #[serde(borrow)]
    pub(super) write_key: Raw<'a>,
    #[serde(borrow)]
    pub(super) channel: Raw<'a>,
}

/// What a library adds of itself and of what it runs in.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, expecting = "an object")]
pub(super) struct MessageContext<'a> {
    #[serde(borrow)]
    pub(super) ip: Raw<'a>,
    #[serde(borrow)]
    pub(super) user_agent: Raw<'a>,
    #[serde(borrow)]
    pub(super) locale: Raw<'a>,
    #[serde(borrow)]
    pub(super) library: Raw<'a>,
    #[serde(borrow)]
    pub(super) screen: Raw<'a>,
    #[serde(borrow)]
    pub(super) page: Raw<'a>,
    #[serde(borrow)]
    pub(super) campaign: Raw<'a>,
    #[serde(borrow)]
    pub(super) traits: Raw<'a>,
    #[serde(borrow)]
    pub(super) session_id: Raw<'a>,
    #[serde(borrow)]
    consent: Raw<'a>,
    #[serde(borrow)]
    consent_management: Raw<'a>,
}

/// A JSON object by its names.
pub(crate) type Object<'a> = BTreeMap<Text<'a>, &'a RawValue>;

/// The object a field holds, read as `T`; nothing where it holds another thing.
pub(crate) fn object<'a, T: Deserialize<'a> + Default>(raw: Raw<'a>) -> T {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

/// A field's text, or a number's; nothing where it is empty or neither.
pub(super) fn text<'a>(raw: Raw<'a>) -> Option<Text<'a>> {
    let raw = raw?.get();
    let text = match raw.as_bytes().first()? {
        b'"' => serde_json::from_str(raw).ok()?,
        b'-' | b'0'..=b'9' => Text::from(raw),
        _ => return None,
    };
    Some(text).filter(|text| !text.trim().is_empty())
}

/// The text of one of an object's fields.
pub(crate) fn text_in<'a>(object: &Object<'a>, name: &'static str) -> Option<Text<'a>> {
    text(object.get(&Text::from(name)).copied())
}

/// A time as libraries write it (ISO 8601; without an offset in UTC; or a number of milliseconds,
/// of which the whole ones count), in
/// milliseconds since 1970. An error where there is one that cannot be read.
pub(crate) fn time(raw: Raw<'_>) -> Result<Option<u64>, ()> {
    let Some(text) = text(raw) else { return Ok(None) };
    if let Ok(millis) = text.parse() {
        return Ok(Some(millis));
    }
    // A number that is no whole one.
    if let Some(millis) = text.parse::<f64>().ok().filter(|millis| (0.0..1e18).contains(millis)) {
        return Ok(Some(whole(millis)));
    }
    let time = text.parse::<jiff::Timestamp>().or_else(|_| {
        let civil = text.parse::<jiff::civil::DateTime>()?;
        civil.to_zoned(jiff::tz::TimeZone::UTC).map(|zoned| zoned.timestamp())
    });
    let millis = time.map_err(drop)?.as_millisecond();
    Ok(Some(u64::try_from(millis).unwrap_or_default()))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole milliseconds are meant, and neither negative nor huge ones come here"
)]
const fn whole(millis: f64) -> u64 {
    millis as u64
}

/// The categories' names are the site's own; these are what consent managers call them by default.
const CATEGORIES: [(&str, Purpose); 17] = [
    ("analytics", |consent| &mut consent.analytics),
    ("performance", |consent| &mut consent.analytics),
    ("statistics", |consent| &mut consent.analytics),
    ("measurement", |consent| &mut consent.analytics),
    ("c0002", |consent| &mut consent.analytics),
    ("functional", |consent| &mut consent.personalization),
    ("functionality", |consent| &mut consent.personalization),
    ("preferences", |consent| &mut consent.personalization),
    ("personalization", |consent| &mut consent.personalization),
    ("personalisation", |consent| &mut consent.personalization),
    ("c0003", |consent| &mut consent.personalization),
    ("advertising", |consent| &mut consent.ads),
    ("marketing", |consent| &mut consent.ads),
    ("targeting", |consent| &mut consent.ads),
    ("ads", |consent| &mut consent.ads),
    ("datasharing", |consent| &mut consent.ads),
    ("c0004", |consent| &mut consent.ads),
];

type Purpose = fn(&mut Consent) -> &mut Choice;

impl MessageContext<'_> {
    /// Segment's `consent.categoryPreferences`, and RudderStack's `consentManagement`, whose lists name
    /// categories by the same ids.
    pub(super) fn consent(&self) -> Consent {
        let mut consent = Consent::default();
        let manager: Object<'_> = object(self.consent);
        let preferences = manager.get(&Text::from("categoryPreferences")).copied();
        for (category, choice) in object::<Object<'_>>(preferences) {
            match choice.get() {
                "false" => choose(&mut consent, &category, Choice::Denied),
                "true" => choose(&mut consent, &category, Choice::Granted),
                _ => {}
            }
        }
        let lists: Object<'_> = object(self.consent_management);
        for (list, choice) in
            [("allowedConsentIds", Choice::Granted), ("deniedConsentIds", Choice::Denied)]
        {
            let categories: Vec<&RawValue> = object(lists.get(&Text::from(list)).copied());
            for category in categories.into_iter().filter_map(|raw| text(Some(raw))) {
                choose(&mut consent, &category, choice);
            }
        }
        consent
    }
}

/// Where two categories of one purpose differ, the no counts.
fn choose(consent: &mut Consent, category: &str, choice: Choice) {
    let known = CATEGORIES.iter().find(|(known, _)| category.eq_ignore_ascii_case(known));
    let Some((_, purpose)) = known else { return };
    let place = purpose(consent);
    if choice == Choice::Denied || *place == Choice::Unknown {
        *place = choice;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_libraries_write_them() {
        let read = |json: &str| {
            let raw = RawValue::from_string(json.to_owned()).unwrap();
            time(Some(&raw))
        };
        let expected = Ok(Some(1_795_313_851_172));
        assert_eq!(read(r#""2026-11-22T02:17:31.172Z""#), expected);
        assert_eq!(read(r#""2026-11-22T03:17:31.172000+01:00""#), expected);
        assert_eq!(read(r#""2026-11-22T02:17:31.172""#), expected);
        assert_eq!(read("1795313851172"), expected);
        assert_eq!(read("1795313851172.9"), expected);
        assert_eq!(read("-1.5"), Err(()));
        assert_eq!(read("null"), Ok(None));
        assert_eq!(read(r#""yesterday""#), Err(()));
    }

    #[test]
    fn a_no_counts_and_what_is_not_known_says_nothing() {
        let read = |json: &str| serde_json::from_str::<MessageContext<'_>>(json).unwrap().consent();
        let some = r#"{"consent":{"categoryPreferences":{"Advertising":true,"C0004":false,
            "Analytics":true,"performance":true,"Weather":true}}}"#;
        let expected = Consent {
            analytics: Choice::Granted,
            personalization: Choice::Unknown,
            ads: Choice::Denied,
        };
        assert_eq!(read(some), expected);
        // RudderStack's: of version 3, and of version 1, which names only what was denied.
        let lists = r#"{"consentManagement":{"provider":"oneTrust","resolutionStrategy":"and",
            "allowedConsentIds":["C0001","C0002","C0003"],"deniedConsentIds":["C0003","C0004",7]}}"#;
        let expected = Consent {
            analytics: Choice::Granted,
            personalization: Choice::Denied,
            ads: Choice::Denied,
        };
        assert_eq!(read(lists), expected);
        let denied = r#"{"consentManagement":{"deniedConsentIds":["Marketing"]}}"#;
        assert_eq!(read(denied), Consent { ads: Choice::Denied, ..Consent::default() });
        for none in [
            "{}",
            r#"{"consentManagement":{"deniedConsentIds":7}}"#,
            r#"{"consent":7}"#,
            r#"{"consent":{"categoryPreferences":{"ads":"yes"}}}"#,
        ] {
            assert_eq!(read(none), Consent::default(), "{none}");
        }
    }
}
