//! The wire as it is on the wire: bodies that were sent once are read for ever.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails by a panic")]

use std::borrow::Cow;

use serde_json::Value;
use serde_json::value::RawValue;
use wire::{Answer, Batch, Choice, Consent, Event, Kind, NewEvent, Rejected, SiteName, Text};

type Sent<'a> = Batch<'a, Event<'a, &'a RawValue>>;

const PAGE_VIEW: &str = include_str!("../../golden/v1/page_view.json");
const KINDS: &str = include_str!("../../golden/v1/kinds.json");
const MINIMAL: &str = include_str!("../../golden/v1/minimal.json");
const ANSWER: &str = include_str!("../../golden/v1/answer.json");
const REJECTED: &str = include_str!("../../golden/v1/rejected.json");

/// The same JSON, whatever its spaces.
fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn what_is_read_is_written_again_the_same() {
    for golden in [PAGE_VIEW, KINDS] {
        let batch: Sent<'_> = serde_json::from_str(golden).unwrap();
        assert_eq!(json(&serde_json::to_string(&batch).unwrap()), json(golden));
    }
    let answer: Answer = serde_json::from_str(ANSWER).unwrap();
    assert_eq!(json(&serde_json::to_string(&answer).unwrap()), json(ANSWER));
    let rejected: Rejected = serde_json::from_str(REJECTED).unwrap();
    assert_eq!(json(&serde_json::to_string(&rejected).unwrap()), json(REJECTED));
}

#[test]
fn a_page_view_is_read_field_by_field() {
    let batch: Sent<'_> = serde_json::from_str(PAGE_VIEW).unwrap();
    assert_eq!((batch.site.as_str(), batch.sent_at), ("shop", 1_800_000_000_000));
    assert_eq!(batch.context.language, Some(Text::from("hr-HR")));
    assert_eq!(
        (batch.context.screen_width, batch.context.timezone_offset),
        (Some(390), Some(-120))
    );
    let [event] = batch.events.as_slice() else { panic!("one event was sent") };
    assert_eq!(Kind::from_name(&event.kind), Some(Kind::PageView));
    assert_eq!(event.categories, [Text::from("Shoes"), Text::from("Shoes/Running")]);
    let consent = Consent {
        analytics: Choice::Granted,
        personalization: Choice::Unknown,
        ads: Choice::Denied,
    };
    assert_eq!(event.consent, consent);
}

#[test]
fn what_may_be_missing_may_be_missing_and_what_is_unknown_is_left_out() {
    let batch: Sent<'_> = serde_json::from_str(MINIMAL).unwrap();
    let [event] = batch.events.as_slice() else { panic!("one event was sent") };
    assert_eq!(Kind::from_name(&event.kind), None, "an unknown kind costs no more than its event");
    assert_eq!((event.consent, event.visitor.as_ref()), (Consent::default(), None));
    assert!(event.properties.is_none() && event.categories.is_empty() && !batch.context.webdriver);
}

#[test]
fn texts_are_borrowed_from_the_body_unless_they_have_escapes() {
    let body = r#"{"id":"plain","type":"a\u0062c","at":1,"url":"https://shop.example/"}"#;
    let event: Event<'_, ()> = serde_json::from_str(body).unwrap();
    assert!(matches!(event.id.0, Cow::Borrowed("plain")));
    assert!(matches!(event.url, Some(Text(Cow::Borrowed(_)))));
    assert!(matches!(&event.kind.0, Cow::Owned(kind) if kind == "abc"));
}

#[test]
fn what_a_page_writes_is_the_event_that_is_read() {
    let raw = |json: &str| RawValue::from_string(json.into()).unwrap();
    let consent = raw(r#"{"analytics":"granted","personalization":"unknown","ads":"unknown"}"#);
    let properties = raw(r#"{"price":9.5}"#);
    let categories = raw(r#"["Shoes","Shoes/Running"]"#);
    let written = NewEvent {
        id: "018f4d5e-7d1a-7c3e-9a44-3f1f6f0f5d01",
        kind: "step",
        at: 1_800_000_000_000,
        visitor: "018f4d5e-0000-7000-8000-00000000000a",
        session: "018f4d5e-0000-7000-8000-00000000000b",
        user: "customer-42",
        consent: &*consent,
        url: "https://shop.example/",
        referrer: "https://search.example/",
        title: "Running shoes",
        categories: Some(&*categories),
        name: "name",
        funnel: "checkout",
        step: "shipping",
        properties: Some(&*properties),
    };
    let text = serde_json::to_string(&written).unwrap();
    let read: Event<'_, &RawValue> = serde_json::from_str(&text).unwrap();
    assert_eq!(read.categories, ["Shoes", "Shoes/Running"].map(Text::from));
    let granted = Consent { analytics: Choice::Granted, ..Consent::default() };
    assert_eq!(read.consent, granted);
    // Written again by the type that reads, it is the same: no field is missing, none has another name.
    assert_eq!(json(&serde_json::to_string(&read).unwrap()), json(&text));
    assert_eq!(json(&text).as_object().unwrap().len(), 15);
}

#[test]
fn what_a_page_does_not_know_is_not_written() {
    let written = NewEvent {
        id: "1",
        kind: "custom",
        at: 1,
        visitor: "",
        session: "",
        user: "",
        url: "",
        consent: "",
        referrer: "",
        title: "",
        categories: None,
        name: "",
        funnel: "",
        step: "",
        properties: None,
    };
    let value = serde_json::to_value(written).unwrap();
    let keys = ["at", "consent", "id", "type"];
    assert_eq!(value.as_object().unwrap().keys().collect::<Vec<_>>(), keys);
}

#[test]
fn every_kind_has_one_name() {
    for kind in Kind::ALL {
        assert_eq!(Kind::from_name(kind.as_str()), Some(kind));
    }
    assert_eq!(Kind::from_name("Page_View"), None);
}

#[test]
fn a_sites_name_is_safe_everywhere() {
    for name in ["shop", "my-shop-2", "7", &"a".repeat(63)] {
        assert_eq!(name.parse::<SiteName>().unwrap().as_str(), name);
    }
    for name in
        ["", "Shop", "-shop", "shop-", "my shop", "shop/", "\"", "šop", "..", &"a".repeat(64)]
    {
        assert!(name.parse::<SiteName>().is_err(), "{name}");
        assert!(serde_json::from_value::<SiteName>(name.into()).is_err(), "{name}");
    }
}
