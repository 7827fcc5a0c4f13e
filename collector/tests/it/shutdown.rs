//! The end of a connection, and the collector's: a stop answers what has begun, closes what is idle, and
//! has stored whatever it answered.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::stack::{Stack, batch, count, page_view, within};

/// A request that leaves its connection open.
fn request(number: u64) -> String {
    let body = batch(&[page_view(number)]).to_string();
    let browser = crate::http::BROWSER;
    let length = body.len();
    format!(
        "POST /v1/events HTTP/1.1\r\nHost: x\r\nUser-Agent: {browser}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// An answer of a connection that stays open.
async fn answer(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    while !read.ends_with(b"}") {
        let come = within("it is answered", stream.read_buf(&mut read)).await.unwrap();
        assert!(come > 0, "closed before the answer: {:?}", String::from_utf8_lossy(&read));
    }
    String::from_utf8(read).unwrap()
}

#[tokio::test]
async fn a_stop_answers_requests_under_way_and_closes_idle_connections() {
    let stack = Stack::up(&["--flush-age", "1h"]).await;
    let Stack { collector, data_dir: _data_dir, database } = stack;
    let mut idle = TcpStream::connect(collector.address).await.unwrap();
    idle.write_all(request(1).as_bytes()).await.unwrap();
    let first = answer(&mut idle).await;
    assert!(first.starts_with("HTTP/1.1 202"), "{first}");
    let second = request(2).replacen("\r\n", "\r\nExpect: 100-continue\r\n", 1);
    let (head, body) = second.split_at(second.find("\r\n\r\n").unwrap() + 4);
    let mut under_way = TcpStream::connect(collector.address).await.unwrap();
    under_way.write_all(head.as_bytes()).await.unwrap();
    // Says that the collector has read the head and waits for the body.
    let mut go_on = [0; 25];
    within("it is asked to go on", under_way.read_exact(&mut go_on)).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");

    let address = collector.address;
    let stopping = tokio::spawn(collector.stop());
    let mut nothing = Vec::new();
    let rest = within("an idle connection is closed", idle.read_to_end(&mut nothing)).await;
    assert_eq!(rest.unwrap(), 0, "{:?}", String::from_utf8_lossy(&nothing));
    assert!(TcpStream::connect(address).await.is_err(), "nobody new is let in");
    under_way.write_all(body.as_bytes()).await.unwrap();
    let mut last = String::new();
    within("it is answered", under_way.read_to_string(&mut last)).await.unwrap();
    assert!(last.starts_with("HTTP/1.1 202"), "{last}");
    stopping.await.unwrap();
    assert_eq!(count(&database, "events").await, 2);
}

#[tokio::test]
async fn who_says_that_nothing_more_comes_is_answered() {
    // The answer waits for the disk, and meanwhile the end of what is sent is seen.
    let stack = Stack::up(&["--durability", "disk"]).await;
    let mut stream = TcpStream::connect(stack.collector.address).await.unwrap();
    stream.write_all(request(1).as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut whole = String::new();
    within("it is answered", stream.read_to_string(&mut whole)).await.unwrap();
    assert!(whole.starts_with("HTTP/1.1 202"), "{whole:?}");
}
