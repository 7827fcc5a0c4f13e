//! Who gets in, how often and how much.

use std::pin::pin;
use std::time::{Duration, Instant};

use serde_json::json;
use store::site::{Site, SiteSettings};
use store::testing::TestDatabase;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::http::{exchange, send};
use crate::rejected::assert_rejected;
use crate::stack::{Collector, NOW, PATIENCE, Stack, alone, batch, eventually, page_view, within};

const SHOP: (&str, &str) = ("Origin", "https://shop.example");

/// Believes what the test says of its address, and limits this machine as any other.
const FROM_ANYWHERE: [&str; 4] =
    ["--trusted-proxy", "loopback", "--unlimited-network", "203.0.113.0/24"];

#[tokio::test]
async fn an_address_that_is_too_fast_is_told_when_to_come_again() {
    let flags = [&FROM_ANYWHERE[..], &["--page-rate", "1", "--server-rate", "0"]].concat();
    let (collector, _dir) = alone(&flags).await;
    let post = async |ip: &str, events: u64| {
        let events: Vec<_> = (0..events).map(page_view).collect();
        collector.post_as(&[SHOP, ("X-Forwarded-For", ip)], &batch(&events)).await
    };
    // A minute's worth and what is in the batch that crosses it: the 100 are paid in 40 s.
    assert_eq!(post("2001:db8::1", 100).await.status, 202);
    let refused = post("2001:db8::2", 1).await;
    assert_rejected(&refused, 429, "address_too_fast");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert_eq!(refused.header("access-control-expose-headers"), Some("retry-after"));
    assert!((1..=40).contains(&wait), "{wait}");
    // Another line, a network that the operator named, and a server at the same address.
    assert_eq!(post("2001:db8:0:1::1", 1).await.status, 202);
    for _ in 0..3 {
        assert_eq!(post("203.0.113.7", 100).await.status, 202);
    }
    let (server, sent) = ([("X-Forwarded-For", "2001:db8::1")], batch(&[page_view(1)]));
    assert_eq!(collector.post_as(&server, &sent).await.status, 202);
}

#[tokio::test]
async fn every_way_in_is_limited_and_bad_requests_count_too() {
    let flags = [&FROM_ANYWHERE[..], &["--server-rate", "1"]].concat();
    let (collector, dir) = alone(&flags).await;
    let ways = [
        ("POST", "/v1/events", "{"),
        ("POST", "/v1/batch", "{"),
        ("GET", "/v1/pixel.gif?site=shop", ""),
    ];
    for (number, (method, path, body)) in ways.into_iter().enumerate() {
        let ip = format!("198.51.100.{number}");
        let from = [("X-Forwarded-For", ip.as_str())];
        for _ in 0..60 {
            let answer = send(collector.address, method, path, &from, body.as_bytes()).await;
            assert_ne!(answer.status, 429, "{path}");
        }
        // At most one is paid while the sixty are sent.
        let mut refused = send(collector.address, method, path, &from, body.as_bytes()).await;
        for _ in 0..60 {
            if refused.status == 429 {
                break;
            }
            refused = send(collector.address, method, path, &from, body.as_bytes()).await;
        }
        assert_rejected(&refused, 429, "address_too_fast");
    }
    // By a link everybody is led on: who is too fast for it is not counted any more.
    let path = crate::link::link(dir.path(), "shop", "");
    let before = taken(&collector).await;
    for _ in 0..120 {
        let from = [("X-Forwarded-For", "198.51.100.9")];
        crate::link::leads_on(&send(collector.address, "GET", &path, &from, b"").await);
    }
    // While they are sent some are paid.
    let clicks = taken(&collector).await - before;
    assert!((60..120).contains(&clicks), "{clicks}");
    let metrics = collector.get("/metrics").await;
    let refused = 3 + 120 - clicks;
    let line = format!(r#"requests_rejected_total{{reason="address_too_fast"}} {refused}"#);
    assert!(metrics.text().contains(&line), "{}", metrics.text());
}

/// Events that were taken so far, bots' too.
async fn taken(collector: &Collector) -> u64 {
    let metrics = collector.get("/metrics").await;
    let lines = metrics.text().lines();
    let counts = lines.filter_map(|line| line.strip_prefix("collector_events_accepted_total{"));
    counts.map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum()
}

#[tokio::test]
async fn a_large_body_that_is_too_fast_is_answered_all_the_same() {
    let flags = [&FROM_ANYWHERE[..], &["--server-rate", "1"]].concat();
    let (collector, _dir) = alone(&flags).await;
    let events: Vec<_> = (0..1000).map(page_view).collect();
    assert_eq!(collector.post(&batch(&events)).await.status, 202);
    assert_rejected(&collector.post(&batch(&events)).await, 429, "address_too_fast");
}

#[tokio::test]
async fn a_site_that_is_too_fast_does_not_stop_another() {
    let (collector, _dir) = alone(&["--site-rate", "1"]).await;
    let events: Vec<_> = (0..100).map(page_view).collect();
    assert_eq!(collector.post(&batch(&events)).await.status, 202);
    let refused = collector.post(&batch(&events)).await;
    assert_rejected(&refused, 429, "site_too_fast");
    let unknown = collector.post(&json!({"site": "other", "sent_at": 1, "events": []})).await;
    assert_rejected(&unknown, 403, "site_unknown");
}

async fn shop_with(database: &TestDatabase, events_per_day: u64) {
    let origins = vec!["https://shop.example".parse().unwrap()];
    let settings = SiteSettings {
        origins,
        events_per_day: events_per_day.try_into().ok(),
        ..SiteSettings::default()
    };
    let site = Site { name: "shop".parse().unwrap(), settings };
    store::site::add(database.server(), &site, NOW).await.unwrap();
}

#[tokio::test]
async fn a_sites_quota_holds_over_restarts_and_for_other_collectors() {
    let Stack { collector, data_dir, database } = Stack::up(&[]).await;
    shop_with(&database, 5).await;
    let post = async |collector: &Collector, from: u64, count: u64| {
        let events: Vec<_> = (from..from + count).map(page_view).collect();
        collector.post(&batch(&events)).await
    };
    // What was taken before there was a quota is not known here yet, so two have to do.
    eventually("the quota is known", || async {
        let answer = post(&collector, 0, 5).await;
        answer.status == 429
    })
    .await;
    let refused = post(&collector, 50, 1).await;
    let error = assert_rejected(&refused, 429, "site_over_quota");
    assert!(error["message"].as_str().unwrap().contains('5'), "{error}");
    // The tests' time is 8 in the morning.
    assert_eq!(refused.header("retry-after"), Some("57600"));
    collector.stop().await;

    let again = Collector::start(data_dir.path(), database.server(), &[]).await;
    assert_rejected(&post(&again, 50, 1).await, 429, "site_over_quota");
    let other_dir = tempfile::TempDir::new().unwrap();
    let other = Collector::start(other_dir.path(), database.server(), &[]).await;
    assert_rejected(&post(&other, 50, 1).await, 429, "site_over_quota");

    shop_with(&database, 1_000_000).await;
    eventually("the raised quota is known", || async { post(&other, 50, 1).await.status == 202 })
        .await;
}

/// Opens a connection and sends so much on it.
async fn open(collector: &Collector, sent: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(collector.address).await.unwrap();
    stream.write_all(sent).await.unwrap();
    stream
}

/// Whether the collector closes the connection soon.
async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest));
    read.await.is_ok()
}

#[tokio::test]
async fn idle_connections_give_way_to_new_ones() {
    // Nothing but giving way makes room: the times are longer than the test may take.
    let flags = ["--connections-max", "8", "--header-timeout", "10m", "--body-timeout", "10m"];
    let (collector, _dir) = alone(&flags).await;
    let get = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut quiet = Vec::new();
    for sent in [b"".as_slice(), b"POST /v1/ev", get] {
        for _ in 0..8 {
            quiet.push(open(&collector, sent).await);
        }
        assert_eq!(collector.post(&batch(&[page_view(1)])).await.status, 202);
    }
    assert!(is_closed(&mut quiet[0]).await, "the longest quiet went first");
    let metrics = collector.get("/metrics").await;
    assert!(!metrics.text().contains("connections_gave_way_total 0\n"), "{}", metrics.text());
}

#[tokio::test]
async fn a_request_under_way_does_not_give_way() {
    let flags = ["--connections-max", "2", "--header-timeout", "10m", "--body-timeout", "10m"];
    let (collector, _dir) = alone(&flags).await;
    let body = batch(&[page_view(1)]).to_string();
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut slow = open(&collector, head.as_bytes()).await;
    for number in 0..20 {
        assert_eq!(collector.post(&batch(&[page_view(number)])).await.status, 202);
    }
    slow.write_all(body.as_bytes()).await.unwrap();
    let mut told = String::new();
    slow.read_to_string(&mut told).await.unwrap();
    assert!(told.starts_with("HTTP/1.1 202 "), "{told}");
}

#[tokio::test]
async fn bodies_that_do_not_come_give_way_to_new_requests() {
    // They give way after an eighth of the body's time, so it is not that time that ends them.
    let flags = ["--connections-max", "8", "--header-timeout", "10m", "--body-timeout", "32s"];
    let (collector, _dir) = alone(&flags).await;
    let sent = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{\"site\": ";
    let mut slow = Vec::new();
    for _ in 0..8 {
        slow.push(open(&collector, sent).await);
    }
    assert_eq!(collector.post(&batch(&[page_view(1)])).await.status, 202);
    // One whose time is up would be told so.
    eventually("one is closed without an answer", || async {
        for stream in &slow {
            let told = tokio::time::timeout(Duration::from_millis(1), stream.peek(&mut [0])).await;
            if matches!(told, Ok(Ok(0) | Err(_))) {
                return true;
            }
        }
        false
    })
    .await;
}

#[tokio::test]
async fn a_body_that_comes_steadily_does_not_give_way_to_new_requests() {
    let flags = ["--connections-max", "8", "--header-timeout", "10m", "--body-timeout", "32s"];
    let (collector, _dir) = alone(&flags).await;
    let batch = batch(&[page_view(1)]);
    let body = batch.to_string();
    let body = " ".repeat((1 << 20) - body.len()) + &body;
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut steady = open(&collector, head.as_bytes()).await;
    let (mut pieces, last) = body.split_at(body.len() - 4096);
    let mut pace = tokio::time::interval(Duration::from_millis(50));
    // Begun after the steady one, which is the longest under way.
    let absent = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{";
    let mut others = Vec::new();
    let mut posted = pin!(collector.post(&batch));
    // 80 KB a second, and the end only when somebody else was served.
    let answer = loop {
        tokio::select! {
            answer = &mut posted, if others.len() == 7 => break answer,
            _ = pace.tick() => {
                let (piece, rest) = pieces.split_at(pieces.len().min(4096));
                steady.write_all(piece.as_bytes()).await.unwrap();
                pieces = rest;
                if others.len() < 7 {
                    others.push(open(&collector, absent).await);
                }
            }
        }
    };
    assert_eq!(answer.status, 202);
    steady.write_all([pieces, last].concat().as_bytes()).await.unwrap();
    let mut told = String::new();
    steady.read_to_string(&mut told).await.unwrap();
    assert!(told.starts_with("HTTP/1.1 202 "), "{told}");
}

/// Whether it closes it within a moment.
async fn is_closed_at_once(stream: &mut TcpStream) -> bool {
    let mut byte = [0];
    let read = tokio::time::timeout(Duration::from_millis(200), stream.read(&mut byte));
    matches!(read.await, Ok(Ok(0) | Err(_)))
}

#[tokio::test]
async fn an_address_cannot_hold_all_connections() {
    let flags = [
        "--connections-per-address-max",
        "3",
        "--unlimited-network",
        "203.0.113.0/24",
        "--header-timeout",
        "10m",
        "--body-timeout",
        "10m",
    ];
    let (collector, _dir) = alone(&flags).await;
    let body = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{";
    let mut busy =
        [open(&collector, body).await, open(&collector, body).await, open(&collector, body).await];
    // All that this machine may have are in the middle of a body: the next one is closed at once.
    let began = Instant::now();
    while !is_closed_at_once(&mut open(&collector, b"").await).await {
        assert!(began.elapsed() < PATIENCE, "a fourth one stays open");
        // One whose head was not read yet may have given way to the next, while the question whether the collector
        // lives was still counted.
        for stream in &mut busy {
            if is_closed_at_once(stream).await {
                *stream = open(&collector, body).await;
            }
        }
    }
    drop(busy);
    eventually("there is room again", || async {
        let mut stream = open(&collector, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let mut told = [0; 12];
        stream.read_exact(&mut told).await.is_ok() && told == *b"HTTP/1.1 200"
    })
    .await;
}

#[tokio::test]
async fn who_does_not_read_the_answers_is_ended() {
    // The last question below has these times too, on a machine that may stand still for a moment.
    let flags = ["--header-timeout", "2s", "--body-timeout", "2s"];
    let (collector, _dir) = alone(&flags).await;
    let mut stream = TcpStream::connect(collector.address).await.unwrap();
    let many = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100);
    // As long as it takes anything: until its answers fill what lies between, and then it is ended.
    within("the connection is ended", async { while stream.write_all(&many).await.is_ok() {} })
        .await;
    assert_eq!(collector.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused_also_where_it_comes_at_once() {
    let (collector, _dir) = alone(&[]).await;
    for (bytes, status) in [(16 * 1024, 200), (40_000, 431)] {
        let long = "y".repeat(bytes);
        let answer =
            send(collector.address, "GET", "/healthz", &[("X-Long", long.as_str())], b"").await;
        assert_eq!(answer.status, status, "{bytes}");
    }
}

#[tokio::test]
async fn a_visitor_cannot_pass_for_the_proxy_by_what_cannot_be_read() {
    let (collector, _dir) = alone(&["--trusted-proxy", "127.0.0.1", "--server-rate", "1"]).await;
    let sent = |method: &str, path: &str, body: &str| {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n",
            body.len()
        );
        let forwarded = b"X-Forwarded-For: \xff, 203.0.113.5\r\n\r\n".as_slice();
        [head.as_bytes(), forwarded, body.as_bytes()].concat()
    };
    let status = async |sent: &[u8]| {
        let answer = exchange(collector.address, sent).await.unwrap();
        String::from_utf8_lossy(answer.get(..12).unwrap_or_default()).into_owned()
    };
    assert_eq!(status(&sent("GET", "/metrics", "")).await, "HTTP/1.1 403");
    let events: Vec<_> = (0..1000).map(page_view).collect();
    let batch = sent("POST", "/v1/events", &batch(&events).to_string());
    assert_eq!(status(&batch).await, "HTTP/1.1 202");
    assert_eq!(status(&batch).await, "HTTP/1.1 429", "it has a rate as any visitor has");
}
