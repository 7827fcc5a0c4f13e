//! What a page fetches, and what a machine asks.

use crate::http::send;
use crate::stack::{Stack, add_site, alone, eventually};

#[tokio::test]
async fn the_loader_is_made_for_its_site_and_names_files_that_are_there() {
    let (collector, _dir) = alone(&[]).await;
    let loader = collector.get("/s/shop.js").await;
    assert_eq!(loader.status, 200);
    assert_eq!(loader.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(loader.header("access-control-allow-origin"), Some("*"));
    assert_eq!(loader.header("cross-origin-resource-policy"), Some("cross-origin"));
    let version =
        loader.text().strip_prefix("site(\"shop\", \"").unwrap().strip_suffix("\")").unwrap();
    for (suffix, content_type, body) in [
        ("js", "text/javascript; charset=utf-8", &b"glue"[..]),
        ("wasm", "application/wasm", b"\0asm"),
    ] {
        let file = collector.get(&format!("/s/footfall-{version}.{suffix}")).await;
        assert_eq!((file.status, file.body.as_slice()), (200, body));
        assert_eq!(file.header("content-type"), Some(content_type));
        assert_eq!(file.header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert_eq!(file.header("access-control-allow-origin"), Some("*"));
    }
}

#[tokio::test]
async fn a_loader_that_is_known_is_not_sent_again() {
    let (collector, _dir) = alone(&[]).await;
    let loader = collector.get("/s/shop.js").await;
    let tag = loader.header("etag").unwrap();
    let again = send(collector.address, "GET", "/s/shop.js", &[("If-None-Match", tag)], b"").await;
    assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, Some(tag)));
    let other =
        send(collector.address, "GET", "/s/shop.js", &[("If-None-Match", "\"x\"")], b"").await;
    assert_eq!(other.status, 200);
}

#[tokio::test]
async fn a_browser_may_ask_first() {
    let (collector, _dir) = alone(&[]).await;
    let headers = [("Origin", "https://shop.example"), ("Access-Control-Request-Method", "POST")];
    let answer = send(collector.address, "OPTIONS", "/v1/events", &headers, b"").await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-allow-methods"), Some("POST"));
}

#[tokio::test]
async fn alive_always_ready_only_with_clickhouse() {
    let (collector, _dir) = alone(&[]).await;
    assert_eq!(collector.get("/healthz").await.status, 200);
    let told = collector.get("/readyz").await;
    assert_eq!((told.status, told.json()["clickhouse"]["answers"].as_bool()), (503, Some(false)));
    let stack = Stack::up(&[]).await;
    let told = stack.collector.get("/readyz").await;
    assert_eq!((told.status, told.json()["ready"].as_bool()), (200, Some(true)), "{}", told.text());
    stack.collector.stop().await;
}

#[tokio::test]
async fn a_site_made_while_it_runs_is_known_within_seconds() {
    let stack = Stack::up(&[]).await;
    assert_eq!(stack.collector.get("/s/second.js").await.status, 404);
    add_site(&stack.database, "second").await;
    eventually("the new site has its script", || async {
        stack.collector.get("/s/second.js").await.status == 200
    })
    .await;
    let copy = std::fs::read_to_string(stack.data_dir.path().join("sites.json")).unwrap();
    assert!(copy.contains("second"), "{copy}");
    stack.collector.stop().await;
}
