//! JSON as other people's programs write it: read as it is meant, or refused in words of theirs.

use serde_json::{Value, json};

use crate::http::{Answer, send};
use crate::stack::{Collector, Stack};

/// As a browser sends it that has cut a text within an emoji: `JSON.stringify` writes the half by its number.
const CUT_EMOJI: &[u8] = include_bytes!("../../../wire/golden/v1/cut_emoji.json");

async fn post(collector: &Collector, path: &str, body: &[u8]) -> Answer {
    send(collector.address, "POST", path, &[], body).await
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
