//! Requests as bytes, so that nothing between the test and the collector is clever.

use std::io;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::stack::PATIENCE;

pub(crate) const BROWSER: &str =
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut found = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// Sends one request and reads its answer to the end.
pub(crate) async fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let has = |wanted: &str| headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
    if !has("user-agent") {
        // Without them it would be a program's.
        head.push_str(&format!("User-Agent: {BROWSER}\r\nAccept: */*\r\n"));
    }
    if !has("content-length") {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    let bytes = exchange(address, &[head.as_bytes(), body].concat()).await.unwrap();
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let told = || String::from_utf8_lossy(&bytes).into_owned();
    let end = end.unwrap_or_else(|| panic!("{method} {path} was answered {:?}", told()));
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head, body: bytes[end + 4..].to_vec() }
}

/// Sends bytes and reads what comes until the connection is closed.
pub(crate) async fn exchange(address: SocketAddr, sent: &[u8]) -> io::Result<Vec<u8>> {
    let exchanged = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(sent).await?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        Ok(bytes)
    };
    // A start waits for ClickHouse four times.
    tokio::time::timeout(5 * PATIENCE, exchanged).await.expect("neither answered nor closed")
}
