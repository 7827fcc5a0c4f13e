//! Junk, very much of it: the collector refuses each, neither dies nor grows, and goes on.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use footfall_tests::{Held, Junk, Stack, eventually};
use serde_json::json;

/// Requests in all: two minutes of processor time with a program that was not optimised.
const REQUESTS: u64 = 1_000_000;
/// Names the variable that says another number, for who is in a hurry.
const COUNT: &str = "FOOTFALL_JUNK_REQUESTS";
/// Requests on one connection; the last one breaks it.
const PER_CONNECTION: u64 = 50;
const SENDERS: u64 = 4;
const MEBIBYTE: u64 = 1024 * 1024;
/// How much memory may differ between two times at which nothing is under way.
const GROWTH_MAX: u64 = 48 * MEBIBYTE;

#[test]
fn junk_is_refused_and_leaves_nothing_behind() {
    let asked = std::env::var(COUNT).ok().map(|count| count.parse().unwrap());
    let connections: u64 = asked.unwrap_or(REQUESTS).div_ceil(PER_CONNECTION);
    let stack = Stack::up(&[]).unwrap();
    stack.site("shop", "https://shop.example").unwrap();
    // What is made once is made: caches, threads, the allocator's own.
    send_all(&stack.collector, 0, connections / 5);
    let before = at_rest(&stack);
    let began = Instant::now();
    send_all(&stack.collector, connections / 5, connections);
    let (took, after) = (began.elapsed(), at_rest(&stack));
    eprintln!(
        "{} requests in {took:?}; memory before {} MiB, after {} MiB; files {} and {}",
        (connections - connections / 5) * PER_CONNECTION,
        before.memory / MEBIBYTE,
        after.memory / MEBIBYTE,
        before.files,
        after.files
    );
    assert!(after.memory < before.memory + GROWTH_MAX, "{before:?} {after:?}");
    // The connections that ask for the metrics, and a file of the spool.
    assert!(after.files <= before.files + 4, "{before:?} {after:?}");

    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let good = format!(
        r#"{{"site":"shop","sent_at":{now},"events":[{{"id":"018f4d5e-0000-7000-8000-000000000001",
        "type":"page_view","at":{now},"visitor":"018f4d5e-0000-7000-8000-00000000000a",
        "url":"https://shop.example/"}}]}}"#
    );
    let browser = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    let post = ureq::post(format!("{}/v1/events", stack.collector)).header("user-agent", browser);
    assert_eq!(post.send(&good).unwrap().status().as_u16(), 202);
    stack.arrived("shop", 1).unwrap();
    // Of all that was sent, counted without what a merge would make one.
    let all = "SELECT (SELECT count() FROM footfall.events) AS events,
        (SELECT count() FROM footfall.bot_events) AS bot_events,
        (SELECT count() FROM footfall.identifiers) AS identifiers
        SETTINGS output_format_json_quote_64bit_integers = 0";
    assert_eq!(stack.rows(all).unwrap(), [json!({"events": 1, "bot_events": 0, "identifiers": 0})]);
    stack.stop().unwrap();
}

/// What the program holds when all connections are gone.
fn at_rest(stack: &Stack) -> Held {
    eventually(Duration::from_secs(60), || {
        let metrics = ureq::get(format!("{}/metrics", stack.collector)).call()?;
        let metrics = metrics.into_body().read_to_string()?;
        // The one that asks, and a former one that is not counted out yet.
        let connections =
            metrics.lines().find_map(|line| line.strip_prefix("collector_connections "));
        let connections: u64 = connections.unwrap_or_default().parse()?;
        anyhow::ensure!(connections <= 2, "{connections} connections are left");
        Held::by(stack.id())
    })
    .unwrap()
}

/// Sends the connections with these numbers, some at a time.
fn send_all(collector: &str, from: u64, to: u64) {
    let address = collector.trim_start_matches("http://");
    std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            scope.spawn(move || {
                (from..to)
                    .filter(|number| number % SENDERS == sender)
                    .for_each(|number| send_connection(address, number));
            });
        }
    });
}

fn send_connection(address: &str, number: u64) {
    let mut junk = Junk::seeded(number);
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let requests: Vec<_> = (1..PER_CONNECTION).map(|_| junk.whole()).collect();
    stream.write_all(&requests.concat()).unwrap();
    let mut told = Vec::new();
    for (place, request) in requests.iter().enumerate() {
        let status = answer(&mut stream, &mut told);
        let sent = || String::from_utf8_lossy(request).into_owned();
        let status = status.unwrap_or_else(|| panic!("{number}/{place} not answered: {}", sent()));
        assert!((400..500).contains(&status), "{number}/{place} answered {status}: {}", sent());
    }
    let broken = junk.broken();
    // It may be closed before all is written; either way nobody waits for more.
    drop(stream.write_all(&broken));
    drop(stream.shutdown(Shutdown::Write));
    while let Some(status) = answer(&mut stream, &mut told) {
        let sent = String::from_utf8_lossy(&broken);
        assert!((400..500).contains(&status), "{number} answered {status}: {sent}");
    }
}

/// The next answer's status; `None` when the connection was closed.
fn answer(stream: &mut TcpStream, told: &mut Vec<u8>) -> Option<u16> {
    loop {
        if let Some((status, length)) = whole(told) {
            told.drain(..length);
            return Some(status);
        }
        let mut part = [0; 16 * 1024];
        match stream.read(&mut part) {
            Ok(0) => return None,
            Ok(read) => told.extend_from_slice(&part[..read]),
            Err(error) => {
                assert_ne!(error.kind(), ErrorKind::WouldBlock, "neither answered nor closed");
                return None;
            }
        }
    }
}

/// The first answer's status and bytes, if it is all there.
fn whole(told: &[u8]) -> Option<(u16, usize)> {
    let end = told.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&told[..end]).unwrap().to_ascii_lowercase();
    let status = head.split(' ').nth(1)?.parse().unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length = end + length.map_or(0, |length| length.parse::<usize>().unwrap());
    (told.len() >= length).then_some((status, length))
}
