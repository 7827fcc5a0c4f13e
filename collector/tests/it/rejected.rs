//! One test for every way in which a whole request is refused.

use std::io::Write;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::http::{Answer, exchange, send};
use crate::stack::{Collector, PATIENCE, alone, batch, nobody, page_view, within};

/// The answer is the rejection with this tag, in full.
pub(crate) fn assert_rejected(answer: &Answer, status: u16, tag: &str) -> Value {
    let told = answer.json();
    assert_eq!((answer.status, told["error"]["tag"].as_str()), (status, Some(tag)), "{told}");
    assert!(!told["error"]["message"].as_str().unwrap().is_empty());
    assert!(!told["error"]["hint"].as_str().unwrap().is_empty());
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "a page could not read it");
    told["error"].clone()
}

#[tokio::test]
async fn an_unknown_address_is_not_found() {
    let (collector, _dir) = alone(&[]).await;
    for path in
        ["/", "/v1", "/v1/events/", "/s/nobody.js", "/s/footfall-0123456789abcdef.js", "/s/../x"]
    {
        assert_rejected(&collector.get(path).await, 404, "not_found");
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let (collector, _dir) = alone(&[]).await;
    let answer = collector.get("/v1/events").await;
    assert_rejected(&answer, 405, "method_not_allowed");
    assert_eq!(answer.header("allow"), Some("POST, OPTIONS"));
    let answer = send(collector.address, "DELETE", "/healthz", &[], b"").await;
    assert_rejected(&answer, 405, "method_not_allowed");
}

#[tokio::test]
async fn a_body_too_large_is_refused_declared_or_not() {
    let (collector, _dir) = alone(&[]).await;
    let large = vec![b' '; 2_000_000];
    let answer = send(collector.address, "POST", "/v1/events", &[], &large).await;
    assert_rejected(&answer, 413, "body_too_large");
    let mut chunked = format!("{:x}\r\n", large.len()).into_bytes();
    chunked.extend_from_slice(&large);
    chunked.extend_from_slice(b"\r\n0\r\n\r\n");
    // hyper goes by the transfer encoding and, by the standard, refuses a length beside it.
    let head = "POST /v1/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    let told = exchange(collector.address, &[head.as_bytes(), &chunked].concat()).await.unwrap();
    let told = String::from_utf8(told).unwrap();
    assert!(told.starts_with("HTTP/1.1 413"), "{told}");
}

#[tokio::test]
async fn a_body_too_slow_is_not_waited_for() {
    let (collector, _dir) = alone(&["--body-timeout", "100ms"]).await;
    let answer =
        send(collector.address, "POST", "/v1/events", &[("Content-Length", "100")], b"{").await;
    assert_rejected(&answer, 408, "body_timeout");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_counted() {
    let (collector, _dir) = alone(&[]).await;
    let mut stream = TcpStream::connect(collector.address).await.unwrap();
    stream
        .write_all(b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        .await
        .unwrap();
    stream.shutdown().await.unwrap();
    drop(stream);
    let broken = r#"collector_requests_rejected_total{reason="body_incomplete"}"#;
    collector.comes_to(broken, |requests| requests >= 1.0).await;
}

#[tokio::test]
async fn an_unknown_encoding_is_refused_by_name() {
    let (collector, _dir) = alone(&[]).await;
    let deflate = [("Content-Encoding", "deflate")];
    let answer = send(collector.address, "POST", "/v1/events", &deflate, b"\x78\x9c").await;
    let error = assert_rejected(&answer, 415, "encoding_not_supported");
    assert!(error["message"].as_str().unwrap().contains("deflate"));
    assert_eq!(answer.header("accept-encoding"), Some("gzip, br, zstd"));
}

#[tokio::test]
async fn a_compressed_body_is_read_a_broken_one_refused_and_a_bomb_put_out() {
    let (collector, _dir) = alone(&[]).await;
    let gzip = |plain: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    };
    let post = async |body: &[u8]| {
        let encoded = [("Content-Encoding", "gzip")];
        send(collector.address, "POST", "/v1/events", &encoded, body).await
    };
    let sent = gzip(batch(&[page_view(1)]).to_string().as_bytes());
    assert_eq!(post(&sent).await.json(), json!({"accepted": 1, "dropped": []}));
    assert_rejected(&post(&sent[..sent.len() - 4]).await, 400, "body_not_decoded");
    let bomb = gzip(&vec![b' '; 50_000_000]);
    assert!(bomb.len() < 100_000);
    assert_rejected(&post(&bomb).await, 413, "body_too_large");
    // It is still there for the next one.
    assert_eq!(post(&sent).await.status, 202);
}

#[tokio::test]
async fn what_is_not_json_is_told_where() {
    let (collector, _dir) = alone(&[]).await;
    let answer =
        send(collector.address, "POST", "/v1/events", &[], b"{\"site\": \"shop\",\n\"sent_at\": }")
            .await;
    let error = assert_rejected(&answer, 400, "body_not_json");
    assert!(
        error["message"].as_str().unwrap().contains("line 2 column 12, field sent_at"),
        "{error}"
    );
}

#[tokio::test]
async fn json_that_is_no_batch_is_told_which_field() {
    let (collector, _dir) = alone(&[]).await;
    let answer = collector.post(&json!({"site": "shop", "sent_at": "now", "events": []})).await;
    let error = assert_rejected(&answer, 400, "body_not_batch");
    assert!(error["message"].as_str().unwrap().contains("field sent_at"), "{error}");
}

#[tokio::test]
async fn too_many_events_are_refused() {
    let (collector, _dir) = alone(&[]).await;
    let events: Vec<_> = (0..1001).map(page_view).collect();
    assert_rejected(&collector.post(&batch(&events)).await, 413, "batch_too_large");
    assert_eq!(collector.post(&batch(&events[..1000])).await.status, 202);
}

#[tokio::test]
async fn a_site_that_nobody_made_is_refused() {
    let (collector, _dir) = alone(&[]).await;
    let answer = collector.post(&json!({"site": "nobody", "sent_at": 1, "events": []})).await;
    let error = assert_rejected(&answer, 403, "site_unknown");
    assert!(error["message"].as_str().unwrap().contains("nobody"));
}

#[tokio::test]
async fn only_the_sites_own_origins_may_send() {
    let (collector, _dir) = alone(&[]).await;
    let sent_from = async |origin: &str| {
        collector.post_as(&[("Origin", origin)], &batch(&[page_view(1)])).await
    };
    assert_rejected(&sent_from("https://evil.example").await, 403, "origin_not_allowed");
    assert_rejected(&sent_from("null").await, 403, "origin_not_allowed");
    assert_eq!(sent_from("https://shop.example").await.status, 202);
    // A server names no origin.
    assert_eq!(collector.post(&batch(&[page_view(2)])).await.status, 202);
}

#[tokio::test]
async fn a_full_spool_refuses_and_says_when_to_come_again() {
    let flags = ["--spool-bytes-max", "16777216", "--flush-bytes", "8388608"];
    let (collector, dir) = alone(&flags).await;
    // Each of these becomes about 1 MB: a thousand events with a long title and path.
    let long = json!({"title": "t".repeat(256), "url": format!("https://shop.example/{}", "p".repeat(500))});
    let events: Vec<_> =
        (0..1000).map(|number| crate::stack::with(page_view(number), &long)).collect();
    let mut answer = collector.post(&batch(&events)).await;
    let mut accepted = 0;
    while answer.status == 202 {
        accepted += 1;
        assert!(accepted < 100, "16 MiB are never full");
        answer = collector.post(&batch(&events)).await;
    }
    assert_rejected(&answer, 503, "spool_full");
    assert_eq!(answer.header("retry-after"), Some("30"));
    assert_eq!(answer.header("access-control-expose-headers"), Some("retry-after"));
    assert!(accepted > 5);
    let bytes: u64 = crate::stack::files(&dir.path().join("spool"))
        .iter()
        .map(|file| file.metadata().unwrap().len())
        .sum();
    assert!(bytes <= 16_777_216, "{bytes}");
    let ready = collector.get("/readyz").await.json();
    assert_eq!(ready["spool"]["has_room"], false);
}

#[tokio::test]
async fn a_spool_that_cannot_be_written_refuses() {
    let (collector, dir) = alone(&[]).await;
    let spool = dir.path().join("spool");
    // The folder is gone from under it: no new block can be made. (A test may run as root, whom no
    // permission stops.)
    std::fs::remove_dir_all(&spool).unwrap();
    let answer = collector.post(&batch(&[page_view(1)])).await;
    assert_rejected(&answer, 503, "spool_unwritable");
    assert_eq!(answer.header("retry-after"), Some("30"));
    std::fs::create_dir(&spool).unwrap();
    assert_eq!(collector.post(&batch(&[page_view(1)])).await.status, 202);
}

#[tokio::test]
async fn what_sites_there_are_is_not_made_up() {
    let dir = TempDir::new().unwrap();
    let collector = Collector::start(dir.path(), &nobody(), &[]).await;
    let answer = collector.post(&batch(&[page_view(1)])).await;
    assert_rejected(&answer, 503, "sites_not_known");
    assert_eq!(answer.header("retry-after"), Some("30"));
    assert_rejected(&collector.get("/s/shop.js").await, 503, "sites_not_known");
}

#[tokio::test]
async fn large_bodies_have_a_bounded_room() {
    // The bodies that stay away hold their room until the test lets go of them.
    let (collector, _dir) = alone(&["--body-timeout", "10m"]).await;
    let begun =
        b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n{\"site\": \"shop\"";
    let slow = stuck(&collector, 64, begun).await;
    let long = json!({"title": "t".repeat(256), "url": format!("https://shop.example/{}", "p".repeat(500))});
    let events: Vec<_> =
        (0..300).map(|number| crate::stack::with(page_view(number), &long)).collect();
    let mut tries = 0;
    let answer = loop {
        let answer = collector.post(&batch(&events)).await;
        if answer.status != 202 {
            break answer;
        }
        tries += 1;
        assert!(tries < 1000, "64 MiB are never full");
    };
    assert_rejected(&answer, 503, "bodies_full");
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(collector.post(&batch(&[page_view(1)])).await.status, 202, "a small one");
    drop(slow);
    while collector.post(&batch(&events)).await.status != 202 {
        tries += 1;
        assert!(tries < 1000, "no room is given back");
    }
}

#[tokio::test]
async fn a_head_too_slow_is_not_waited_for() {
    let (collector, _dir) = alone(&["--header-timeout", "100ms"]).await;
    let mut stream = TcpStream::connect(collector.address).await.unwrap();
    stream.write_all(b"POST /v1/ev").await.unwrap();
    let mut told = Vec::new();
    // Closed or broken off; an end by itself would be half a minute away.
    let ended = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut told)).await;
    assert!(ended.is_ok(), "the connection is still open");
}

/// Connections that have sent so much and then nothing more.
async fn stuck(collector: &Collector, count: usize, sent: &[u8]) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for _ in 0..count {
        let mut stream = TcpStream::connect(collector.address).await.unwrap();
        stream.write_all(sent).await.unwrap();
        streams.push(stream);
    }
    streams
}

#[tokio::test]
async fn slow_clients_do_not_keep_their_slots() {
    // Whoever is served has these times too, on a machine that may stand still for a moment.
    let flags = ["--connections-max", "8", "--header-timeout", "3s", "--body-timeout", "3s"];
    let (collector, _dir) = alone(&flags).await;
    let head = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n".as_slice();
    let body = [head, b"\r\n{\"site\": "].concat();
    for sent in [b"".as_slice(), head, &body] {
        // All slots and then some; the one after them is served when their time is up.
        let _slow = stuck(&collector, 12, sent).await;
        let answer = within("a slot is free", collector.post(&batch(&[page_view(1)]))).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
    }
}

#[tokio::test]
async fn a_body_that_trickles_ends_in_time() {
    let (collector, _dir) = alone(&["--body-timeout", "300ms"]).await;
    let head = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n";
    let mut stream = stuck(&collector, 1, head).await.remove(0);
    let mut told = Vec::new();
    let began = std::time::Instant::now();
    // A byte now and then is no progress that buys time.
    while began.elapsed() < PATIENCE {
        let wait = tokio::time::timeout(Duration::from_millis(50), stream.read_buf(&mut told));
        match wait.await {
            Ok(_) => break,
            Err(_) => stream.write_all(b" ").await.unwrap(),
        }
    }
    let told = String::from_utf8(told).unwrap();
    assert!(told.starts_with("HTTP/1.1 408 "), "{told}");
}

#[tokio::test]
async fn idle_connections_do_not_stop_others() {
    let (collector, _dir) = alone(&["--header-timeout", "10m"]).await;
    let idle = stuck(&collector, 400, b"").await;
    for number in 0..20 {
        assert_eq!(collector.post(&batch(&[page_view(number)])).await.status, 202);
    }
    // Those of the twenty are counted until the collector has heard that they are closed.
    collector.comes_to("collector_connections", |open| (401.0..402.0).contains(&open)).await;
    drop(idle);
}
