//! What cannot be: a program that cannot start, and requests that cannot be taken.

use std::net::TcpListener;

use footfall_tests::{Footfall, Stack};
use serde_json::Value;

#[test]
fn a_port_in_use_is_told_before_anything_is_started() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("data");
    let run = Footfall::run(&[
        "up",
        "--data-dir",
        folder.to_str().unwrap(),
        "--collector-listen",
        &address,
    ])
    .unwrap();
    assert_eq!(run.code, Some(64), "{}", run.errors);
    assert!(run.errors.contains(&address), "{}", run.errors);
    assert!(run.errors.contains("--collector-listen"), "{}", run.errors);
    assert!(!folder.join("clickhouse").exists(), "the engine was not to be started");
}

#[test]
fn a_rule_that_does_not_parse_is_told_where_and_what_was_expected() {
    let run =
        Footfall::run(&["segment", "count", "--site", "shop", "--rule", "did a wher b"]).unwrap();
    assert_eq!(run.code, Some(2), "{}", run.errors);
    assert!(run.errors.contains("did a wher b"), "{}", run.errors);
    assert!(run.errors.contains("expected"), "{}", run.errors);
    assert!(run.errors.contains('^'), "{}", run.errors);
}

#[test]
fn requests_that_cannot_be_taken_are_told_why() {
    // A geo file that is not there costs the places and nothing else.
    let stack = Stack::up(&["--geo-file", "no-such-file.mmdb"]).unwrap();
    stack.site("shop", "https://shop.example").unwrap();
    let batch = |site: &str| format!(r#"{{"site":"{site}","sent_at":0,"events":[]}}"#);
    let cases = [
        ("{".to_owned(), 400, "body_not_json"),
        ("x".repeat(2_000_000), 413, "body_too_large"),
        (batch("nobody"), 403, "site_unknown"),
    ];
    for (body, status, tag) in cases {
        let (answered, told) = post(&stack, &body);
        assert_eq!((answered, told["error"]["tag"].as_str()), (status, Some(tag)), "{told}");
        assert!(!told["error"]["hint"].as_str().unwrap().is_empty());
    }
    assert_eq!(post(&stack, &batch("shop")).0, 202);
}

fn post(stack: &Stack, body: &str) -> (u16, Value) {
    let mut answer = ureq::post(format!("{}/v1/events", stack.collector))
        .config()
        .http_status_as_error(false)
        .build()
        .send(body)
        .unwrap();
    (answer.status().as_u16(), answer.body_mut().read_json().unwrap())
}
