//! Ten thousand who say nothing, a thousand who trickle, and a visitor among them.
//!
//! A program of its own: cargo runs one after another, and what others send beside it would be in what is measured.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stderr, reason = "what was measured is said")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::ensure;
use footfall_tests::{Held, Stack, eventually, raise_open_files};

const IDLE: u64 = 10_000;
const SLOW: u64 = 1_000;
const EVENTS: u64 = 100;
/// Files beside the connections, here and there.
const OTHER_FILES: u64 = 500;
/// An answer takes milliseconds, and on the busiest machine seconds; one that waits for the others waits until their
/// time is up.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// All of the crowd and all visits are in it, on the slowest machine.
const HEADER_TIMEOUT: Duration = Duration::from_secs(120);
/// How long it may take until the collector has closed what it must, once the time is up.
const PATIENCE: Duration = Duration::from_secs(90);
const MEBIBYTE: u64 = 1024 * 1024;
/// Bytes of a connection that has sent nothing, in a debug build: the task.
const IDLE_BYTES_MAX: u64 = 6 * 1024;
/// And of one that has not sent a whole request: what is read into besides, and written to.
const SLOW_BYTES_MAX: u64 = 32 * 1024;

const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

#[test]
fn a_crowd_does_not_stop_a_visitor() {
    let files = raise_open_files();
    let idle_count = IDLE.min(files.saturating_sub(SLOW + OTHER_FILES));
    if idle_count < IDLE {
        eprintln!("only {files} files may be open here: {idle_count} idle connections, not {IDLE}");
    }
    let connections_max = (idle_count + SLOW + 100).to_string();
    let stack = Stack::up(&[
        "--connections-max",
        &connections_max,
        "--header-timeout",
        "2m",
        "--body-timeout",
        "60s",
    ])
    .unwrap();
    stack.site("shop", "https://shop.example").unwrap();
    let before = Held::by(stack.id()).unwrap();
    let address = stack.collector.trim_start_matches("http://");
    let connect = |_| TcpStream::connect(address).unwrap();
    let opened = Instant::now();
    let idle: Vec<_> = (0..idle_count).map(connect).collect();
    let slow: Vec<_> = (0..SLOW).map(connect).collect();

    let (slowest, trickled) = std::thread::scope(|scope| {
        let trickling = scope.spawn(|| trickle(slow));
        let slowest = (0..EVENTS).map(|number| visit(&stack.collector, number)).max().unwrap();
        let held = Held::by(stack.id()).unwrap();
        let grown = held.memory.saturating_sub(before.memory);
        eprintln!(
            "{} files are open after {:?}; the visitor waited {slowest:?} at most; memory grew by {} MiB",
            held.files,
            opened.elapsed(),
            grown / MEBIBYTE
        );
        assert!(opened.elapsed() < HEADER_TIMEOUT, "too slow a machine: they are closed already");
        assert!(held.files as u64 >= idle_count, "{held:?}: they were not held");
        assert!(grown < idle_count * IDLE_BYTES_MAX + SLOW * SLOW_BYTES_MAX, "{before:?} {held:?}");
        (slowest, trickling.join().unwrap())
    });
    assert!(slowest < ANSWER_MAX, "{slowest:?}");
    assert!(trickled < HEADER_TIMEOUT + PATIENCE, "{trickled:?}");
    for stream in &idle {
        assert!(is_closed(stream), "an idle connection is still open");
    }
    eventually(PATIENCE, || {
        let files = Held::by(stack.id())?.files;
        ensure!(files < before.files + 50, "{files} files are still open");
        Ok(())
    })
    .unwrap();
    stack.arrived("shop", EVENTS).unwrap();
    stack.stop().unwrap();
}

/// Sends a byte a second on each, of a head or of a body, until all are closed; how long that took.
fn trickle(streams: Vec<TcpStream>) -> Duration {
    let began = Instant::now();
    let body = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n";
    let mut open: Vec<_> = streams.into_iter().enumerate().collect();
    for (number, stream) in &mut open {
        stream.set_nonblocking(true).unwrap();
        let sent = if *number % 2 == 0 { &body[..] } else { b"POST /v1/events HTTP/1.1\r\nX: " };
        stream.write_all(sent).unwrap();
    }
    while !open.is_empty() && began.elapsed() < HEADER_TIMEOUT + PATIENCE {
        std::thread::sleep(Duration::from_secs(1));
        open.retain_mut(|(_, stream)| stream.write_all(b"x").is_ok());
    }
    assert!(open.is_empty(), "{} slow connections are still open", open.len());
    began.elapsed()
}

/// Closed by the other end, within its time.
fn is_closed(mut stream: &TcpStream) -> bool {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut rest = [0; 512];
    loop {
        match stream.read(&mut rest) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() != std::io::ErrorKind::WouldBlock,
        }
    }
}

/// A visitor's event on a connection of its own; how long the answer took.
fn visit(collector: &str, number: u64) -> Duration {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let event = format!(
        r#"{{"site":"shop","sent_at":{now},"events":[{{"id":"018f4d5e-0000-7000-8000-{number:012}",
        "type":"page_view","at":{now},"visitor":"018f4d5e-0000-7000-8000-00000000000a",
        "url":"https://shop.example/"}}]}}"#
    );
    let began = Instant::now();
    let post = ureq::post(format!("{collector}/v1/events"))
        .header("user-agent", BROWSER)
        .header("connection", "close");
    assert_eq!(post.send(&event).unwrap().status().as_u16(), 202);
    began.elapsed()
}
