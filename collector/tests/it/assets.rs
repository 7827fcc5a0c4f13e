//! What a page fetches, and what a machine asks.

use std::io::Read as _;

use crate::http::send;
use crate::stack::{Collector, PART, Stack, add_site, alone, eventually};

#[tokio::test]
async fn the_script_is_made_for_its_site_and_carries_everything() {
    let (collector, _dir) = alone(&[]).await;
    let script = collector.get("/s/shop.js").await;
    assert_eq!(script.status, 200);
    let begin = fetched_from(&collector).await.replace("/s/", "");
    let made = format!("site(\"shop\", \"{begin}\", ({{}}), ");
    assert_eq!(script.body, [made.as_bytes(), b"\"p\x11\x03\x1d\xe9\")"].concat());
    assert_eq!(
        script.header("cache-control"),
        Some("public, max-age=300, stale-while-revalidate=3600")
    );
    assert_eq!(script.header("content-type"), Some("text/javascript; charset=windows-1252"));
    assert_eq!(script.header("access-control-allow-origin"), Some("*"));
    assert_eq!(script.header("cross-origin-resource-policy"), Some("cross-origin"));
    assert_eq!(
        (script.header("vary"), script.header("content-encoding")),
        (Some("accept-encoding"), None)
    );
    assert_eq!(collector.get("/s/nobody.js").await.status, 404);
}

/// How the addresses of what a script fetches begin.
async fn fetched_from(collector: &Collector) -> String {
    let script = collector.get("/s/shop.stream.js").await;
    let version = script.text().strip_prefix("stream(\"shop\", \"").unwrap();
    format!("/s/{}", version.strip_suffix("\")").unwrap())
}

#[tokio::test]
async fn what_the_script_names_is_there_for_a_year() {
    let (collector, _dir) = alone(&[]).await;
    let begin = fetched_from(&collector).await;
    for (end, kind, content) in [
        ("wasm", "application/wasm", &b"\0asm"[..]),
        ("forms.js", "text/javascript; charset=utf-8", PART),
    ] {
        let file = collector.get(&format!("{begin}{end}")).await;
        assert_eq!((file.status, file.body.as_slice()), (200, content), "{begin}{end}");
        assert_eq!(file.header("content-type"), Some(kind));
        assert_eq!(file.header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert_eq!(file.header("access-control-allow-origin"), Some("*"));
        assert_eq!(file.header("cross-origin-resource-policy"), Some("cross-origin"));
        assert_eq!(file.header("vary"), Some("accept-encoding"));
    }
    assert_eq!(collector.get(&format!("{begin}vitals.js")).await.status, 404);
}

#[tokio::test]
async fn a_script_of_another_version_finds_its_parts_and_not_another_webassembly() {
    let (collector, _dir) = alone(&[]).await;
    let part = collector.get("/s/footfall-0123456789abcdef.forms.js").await;
    assert_eq!((part.status, part.body.as_slice()), (200, PART));
    assert_eq!(
        part.header("cache-control"),
        Some("public, max-age=300, stale-while-revalidate=3600"),
        "it means something else tomorrow"
    );
    for none in ["0123456789abcdef.wasm", "0123456789abcdef.gone.js", "01234.forms.js"] {
        assert_eq!(collector.get(&format!("/s/footfall-{none}")).await.status, 404, "{none}");
    }
}

#[tokio::test]
async fn a_part_is_compressed_as_the_browser_takes_it() {
    let (collector, _dir) = alone(&[]).await;
    let address = format!("{}forms.js", fetched_from(&collector).await);
    let accepts = [("Accept-Encoding", "gzip, br")];
    let part = send(collector.address, "GET", &address, &accepts, b"").await;
    assert_eq!(part.header("content-encoding"), Some("br"));
    let mut unpacked = Vec::new();
    brotli::Decompressor::new(&*part.body, 4096).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, PART);
}

#[tokio::test]
async fn a_script_is_compressed_as_the_browser_takes_it() {
    let (collector, _dir) = alone(&[]).await;
    let plain = collector.get("/s/shop.js").await.body;
    for (accepted, encoding) in
        [("gzip, deflate, br, zstd", "br"), ("br;q=0, GZIP;q=0.5", "gzip"), ("gzip", "gzip")]
    {
        // The second is from memory.
        for _ in 0..2 {
            let accepts = [("Accept-Encoding", accepted)];
            let script = send(collector.address, "GET", "/s/shop.js", &accepts, b"").await;
            assert_eq!(script.header("content-encoding"), Some(encoding), "{accepted}");
            let mut unpacked = Vec::new();
            if encoding == "br" {
                brotli::Decompressor::new(&*script.body, 4096).read_to_end(&mut unpacked).unwrap();
            } else {
                flate2::read::GzDecoder::new(&*script.body).read_to_end(&mut unpacked).unwrap();
            }
            assert_eq!(unpacked, plain, "{accepted}");
        }
    }
}

#[tokio::test]
async fn a_script_that_is_known_is_not_sent_again() {
    let (collector, _dir) = alone(&[]).await;
    let script = collector.get("/s/shop.js").await;
    let tag = script.header("etag").unwrap();
    for known in [tag, tag.trim_start_matches("W/")] {
        let again = [("If-None-Match", known)];
        let again = send(collector.address, "GET", "/s/shop.js", &again, b"").await;
        assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, Some(tag)));
    }
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

#[tokio::test]
async fn the_types_of_the_pages_calls_are_served() {
    let (collector, _dir) = alone(&[]).await;
    let types = collector.get("/s/footfall.d.ts").await;
    assert_eq!(
        (types.status, types.header("content-type")),
        (200, Some("text/plain; charset=utf-8"))
    );
    assert!(types.text().contains("interface Footfall "), "{}", types.text());
    assert_eq!(types.header("access-control-allow-origin"), Some("*"));
}
