//! One connection: sends a request, waits for its answer, and again.

use anyhow::{Context, Result, ensure};
use memchr::memmem::Finder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Bytes of an answer, at most: a collector's are a few hundred.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
    head_end: Finder<'static>,
    length: Finder<'static>,
}

impl Connection {
    pub(crate) async fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            received: Vec::with_capacity(4096),
            head_end: Finder::new(b"\r\n\r\n"),
            length: Finder::new(b"content-length: "),
        })
    }

    /// Sends a whole request and gives the status of its answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<u16> {
        self.stream.write_all(request).await?;
        self.received.clear();
        let head = loop {
            self.more().await?;
            if let Some(at) = self.head_end.find(&self.received) {
                break at + 4;
            }
        };
        let total = head + self.body_length(head)?;
        while self.received.len() < total {
            self.more().await?;
        }
        // `HTTP/1.1 202`
        let status = self.received.get(9..12).context("no status")?;
        Ok(std::str::from_utf8(status)?.parse()?)
    }

    async fn more(&mut self) -> Result<()> {
        ensure!(self.received.len() < ANSWER_BYTES_MAX, "an answer is too long");
        ensure!(self.stream.read_buf(&mut self.received).await? > 0, "the connection was closed");
        Ok(())
    }

    fn body_length(&self, head: usize) -> Result<usize> {
        let head = self.received.get(..head).unwrap_or_default();
        let at = self.length.find(head).context("an answer without content-length")?;
        let digits = head.get(at + 16..).unwrap_or_default();
        let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
        Ok(digits.fold(0, |length, byte| length * 10 + usize::from(byte - b'0')))
    }
}
