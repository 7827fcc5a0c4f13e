//! JSON as other people's programs write it: read as it is meant, or refused in words of theirs.

use serde_json::{Value, json};

use crate::http::{Answer, send};
use crate::stack::{Collector, NOW, Stack, VISITOR, alone, batch, page_view};

/// As a browser sends it that has cut a text within an emoji: `JSON.stringify` writes the half by its number.
const CUT_EMOJI: &[u8] = include_bytes!("../../../wire/golden/v1/cut_emoji.json");

async fn post(collector: &Collector, path: &str, body: &[u8]) -> Answer {
    send(collector.address, "POST", path, &[], body).await
}

/// With these fields, also where they are null.
fn put(mut object: Value, fields: &Value) -> Value {
    object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    object
}

/// What refuses a body: the tag and the field at fault.
async fn refused(collector: &Collector, path: &str, body: &str) -> (String, Option<String>) {
    let answer = post(collector, path, body.as_bytes()).await;
    let error = answer.json()["error"].clone();
    assert_eq!(answer.status, 400, "{body}: {}", answer.text());
    let message = error["message"].as_str().unwrap();
    for ours in ["struct", "field .", "field ?", "u64", "u16", "sequence", "map"] {
        assert!(!message.contains(ours), "{message}");
    }
    let text = |value: &Value| value.as_str().map(str::to_owned);
    (text(&error["tag"]).unwrap(), text(&error["field"]))
}

#[tokio::test]
async fn half_an_emoji_costs_neither_the_batch_nor_the_property() {
    let stack = Stack::up(&[]).await;
    let answer = post(&stack.collector, "/v1/events", CUT_EMOJI).await;
    assert_eq!(answer.json(), json!({"accepted": 3, "dropped": []}));
    let question = "SELECT name, title, referrer, properties FROM events ORDER BY event_id";
    let rows: Vec<Value> = stack.stored(question).await;
    assert_eq!(
        rows[0],
        json!({
            "name": "page_view", "title": "Caf\u{fffd}", "referrer": "https://other.example/\u{fffd}",
            "properties": {"half": "a\u{fffd}", "b\u{fffd}": "1", "whole": "\u{1f600}", "told": "\\ud83d"},
        })
    );
    assert_eq!((&rows[1]["name"], &rows[2]["name"]), (&json!("paid\u{fffd}"), &json!("b")));
}

#[tokio::test]
async fn half_an_emoji_costs_a_message_of_segments_nothing() {
    let stack = Stack::up(&[]).await;
    let body = r#"{"writeKey":"shop","messageId":"m1","userId":"u\udE00","event":"Ad\uD83d",
        "properties":{"a\ud83d":"b\ud83d","c":{"d":["\ud83d\ude00","\ude00"]}}}"#;
    let answer = post(&stack.collector, "/v1/track", body.as_bytes()).await;
    assert_eq!((answer.status, &answer.json()["accepted"]), (200, &json!(1)), "{}", answer.text());
    let rows: Vec<Value> = stack.stored("SELECT name, user_id, properties FROM events").await;
    let properties = json!({"a\u{fffd}": "b\u{fffd}", "c.d": r#"["\ud83d\ude00","\ufffd"]"#});
    let expected = json!({"name": "Ad\u{fffd}", "user_id": "u\u{fffd}", "properties": properties});
    assert_eq!(rows, [expected]);
}

#[tokio::test]
async fn a_mark_of_the_encoding_before_a_body_is_passed_over() {
    let (collector, _dir) = alone(&[]).await;
    let body = format!("\u{feff}{}", batch(&[page_view(1)]));
    let answer = post(&collector, "/v1/events", body.as_bytes()).await;
    assert_eq!(answer.json(), json!({"accepted": 1, "dropped": []}));
    let body = "\u{feff}{\"batch\":[{\"type\":\"track\",\"event\":\"x\",\"userId\":\"u1\"}],\"writeKey\":\"shop\"}";
    assert_eq!(post(&collector, "/v1/batch", body.as_bytes()).await.status, 200);
}

#[tokio::test]
async fn a_refusal_names_the_field_at_fault() {
    let (collector, _dir) = alone(&[]).await;
    let not_batch = |field: &str| ("body_not_batch".to_owned(), Some(field.to_owned()));
    for (path, body, field) in [
        ("/v1/events", r#"{"site":"shop","sent_at":1}"#, "events"),
        ("/v1/events", r#"{"sent_at":1,"events":[]}"#, "site"),
        ("/v1/events", r#"{"site":"shop","sent_at":"now","events":[]}"#, "sent_at"),
        ("/v1/events", r#"{"site":"shop","sent_at":1,"events":{}}"#, "events"),
        ("/v1/events", r#"{"site":"shop","sent_at":1,"events":[],"context":5}"#, "context"),
        ("/v1/events", r#"{"site":{},"sent_at":1,"events":[]}"#, "site"),
        (
            "/v1/events",
            r#"{"site":"shop","sent_at":1,"events":[],"context":{"screen_width":-1}}"#,
            "context.screen_width",
        ),
        ("/v1/batch", r#"{"batch":{"type":"track"}}"#, "batch"),
        ("/v1/batch", r#"{"writeKey":"shop"}"#, "batch"),
    ] {
        assert_eq!(refused(&collector, path, body).await, not_batch(field), "{body}");
    }
    let not_json = |field: Option<&str>| ("body_not_json".to_owned(), field.map(str::to_owned));
    let cut = r#"{"site":"shop""#;
    assert_eq!(refused(&collector, "/v1/events", cut).await, not_json(None));
    let cut = r#"{"site":"shop","sent_at":"#;
    assert_eq!(refused(&collector, "/v1/events", cut).await, not_json(Some("sent_at")));
    let cut = r#"{"site":"shop","context":{"#;
    assert_eq!(refused(&collector, "/v1/events", cut).await, not_json(Some("context")));
}

#[tokio::test]
async fn an_event_left_out_names_the_field_that_is_missing() {
    let (collector, _dir) = alone(&[]).await;
    let bare = json!({"id": "1", "type": "custom", "at": NOW});
    let without = |name: &str| {
        let mut event = bare.clone();
        event.as_object_mut().unwrap().remove(name);
        event
    };
    let wrong = put(bare.clone(), &json!({"consent": {"ads": "maybe"}}));
    let events = [without("at"), without("id"), without("type"), wrong, json!(5)];
    let told = collector.post(&batch(&events)).await.json();
    let fields: Vec<_> = told["dropped"]
        .as_array()
        .unwrap()
        .iter()
        .map(|dropped| (dropped["reason"].as_str().unwrap(), dropped["field"].as_str()))
        .collect();
    let expected = [Some("at"), Some("id"), Some("type"), Some("consent.ads"), None];
    assert_eq!(fields, expected.map(|field| ("event_malformed", field)));
}

#[tokio::test]
async fn a_message_left_out_names_the_field_as_its_sender_does() {
    let (collector, _dir) = alone(&[]).await;
    let old = "2001-01-01T00:00:00Z";
    let body = json!({"writeKey": "shop", "sentAt": NOW, "batch": [
        {"type": "track", "event": "x", "messageId": "m1"},
        {"type": "track", "event": "x", "messageId": "m2", "userId": "u1", "timestamp": old},
        {"type": "identify", "userId": "u".repeat(300), "messageId": "m3"},
        {"type": "track", "userId": "u1", "messageId": "m4"},
    ]});
    let answer = post(&collector, "/v1/batch", body.to_string().as_bytes()).await.json();
    let told: Vec<_> = answer["dropped"]
        .as_array()
        .unwrap()
        .iter()
        .map(|dropped| ["id", "reason", "field"].map(|name| dropped[name].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ["m1", "visitor_missing", "anonymousId"],
            ["m2", "at_too_old", "timestamp"],
            ["m3", "user_too_long", "userId"],
            ["m4", "name_missing", "event"],
        ]
    );
}

#[tokio::test]
async fn a_list_is_no_batch_no_event_and_no_message() {
    let (collector, _dir) = alone(&[]).await;
    let not_batch = ("body_not_batch".to_owned(), None);
    let listed = r#"["shop",1,{},[]]"#;
    assert_eq!(refused(&collector, "/v1/events", listed).await, not_batch);
    assert_eq!(refused(&collector, "/v1/batch", r#"[[],"shop"]"#).await, not_batch);
    assert_eq!(refused(&collector, "/v1/track", "[]").await, not_batch);
    let event = json!([VISITOR, "custom", NOW, VISITOR, null, null, {}, null, null, null, [], "x"]);
    let events = json!({"site": "shop", "sent_at": NOW, "events": [event]});
    let told = collector.post(&events).await.json();
    assert_eq!(told["dropped"], json!([{"id": "", "reason": "event_malformed"}]));
    let messages = json!({"writeKey": "shop", "batch": [["track"]]}).to_string();
    let told = post(&collector, "/v1/batch", messages.as_bytes()).await.json();
    assert_eq!(told["dropped"], json!([{"id": "", "reason": "event_malformed"}]));
    let listed = json!({"site": "shop", "sent_at": NOW, "context": ["hr"], "events": []});
    let context = ("body_not_batch".to_owned(), Some("context".to_owned()));
    assert_eq!(refused(&collector, "/v1/events", &listed.to_string()).await, context);
}

#[tokio::test]
async fn null_is_as_good_as_absent_and_a_time_may_have_a_fraction() {
    let (collector, _dir) = alone(&[]).await;
    let nothing = json!({
        "session": null, "user": null, "consent": null, "referrer": null, "title": null,
        "categories": null, "name": null, "funnel": null, "step": null, "properties": null,
    });
    let choices = json!({"consent": {"analytics": null, "personalization": null, "ads": null}});
    let mut fraction = page_view(3);
    fraction["at"] = json!(1_799_999_999_999.5);
    let events = [put(page_view(1), &nothing), put(page_view(2), &choices), fraction];
    let context =
        json!({"language": null, "screen_width": null, "timezone_offset": null, "webdriver": null});
    for context in [json!(null), context] {
        let sent = json!({"context": context, "sent_at": 1_800_000_000_000.9});
        let answer = collector.post(&put(batch(&events), &sent)).await;
        assert_eq!((answer.status, answer.text()), (202, r#"{"accepted":3,"dropped":[]}"#));
    }
    let negative = json!({"id": VISITOR, "type": "custom", "at": -0.5});
    let told = collector.post(&batch(&[negative])).await.json();
    assert_eq!(told["dropped"][0]["field"], "at");
}
