//! TLS with real certificates: taken, replaced, broken; a handshake that takes for ever.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fs, io};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::http::exchange;
use crate::stack::{
    Collector, LOOK_EVERY, PATIENCE, away, batch, eventually, page_view, value, within,
};

/// 2090-01-01, in milliseconds since 1970.
const EXPIRES_AT: i64 = 3_786_912_000_000;

/// A certificate and its key in files.
struct Pair {
    folder: TempDir,
}

impl Pair {
    fn new() -> (Self, CertificateDer<'static>) {
        let pair = Self { folder: TempDir::new().unwrap() };
        let certificate = pair.renew();
        (pair, certificate)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Replaces both files; gives the new certificate, which is the only one to trust.
    fn renew(&self) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_after = date_time_ymd(2090, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        fs::write(self.file("cert.pem"), certificate.pem()).unwrap();
        fs::write(self.file("key.pem"), key.serialize_pem()).unwrap();
        certificate.der().clone()
    }

    async fn collector(&self, data_dir: &TempDir, flags: &[&str]) -> Collector {
        let (cert, key) = (self.file("cert.pem"), self.file("key.pem"));
        let tls = ["--tls-cert", cert.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
        Collector::start(data_dir.path(), &away(data_dir.path()), &[&tls, flags].concat()).await
    }
}

/// A connection of one who trusts this certificate only.
async fn connect(
    address: SocketAddr,
    trusted: &CertificateDer<'static>,
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(config))
        .connect(ServerName::try_from("localhost").unwrap(), stream)
        .await
}

/// An answer's status and body; the connection stays open.
async fn ask(stream: &mut TlsStream<TcpStream>, method: &str, path: &str, body: &str) -> String {
    let browser = crate::http::BROWSER;
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {browser}\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    loop {
        let come = within("it is answered", stream.read_buf(&mut read)).await.unwrap();
        let text = String::from_utf8_lossy(&read).into_owned();
        assert!(come > 0, "closed before the answer: {text}");
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() == length.parse::<usize>().unwrap() {
            return text;
        }
    }
}

/// Waits until a metric is as it should be, and fails with all of them.
async fn comes_to(stream: &mut TlsStream<TcpStream>, series: &str, is_so: impl Fn(f64) -> bool) {
    let began = Instant::now();
    loop {
        let metrics = ask(stream, "GET", "/metrics", "").await;
        if is_so(value(&metrics, series)) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{series} does not come to it: {metrics}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

#[tokio::test]
async fn a_batch_by_tls_is_taken_and_the_certificate_s_end_is_told() {
    let ((pair, trusted), data_dir) = (Pair::new(), TempDir::new().unwrap());
    let collector = pair.collector(&data_dir, &[]).await;
    let mut stream = connect(collector.address, &trusted).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));
    let body = batch(&[page_view(1)]).to_string();
    let answer = ask(&mut stream, "POST", "/v1/events", &body).await;
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    let ready = ask(&mut stream, "GET", "/readyz", "").await;
    let told = format!("\"certificate\":{{\"expires_at\":{EXPIRES_AT},\"expires_soon\":false}}");
    assert!(ready.contains(&told), "{ready}");
    let (_, body) = ready.split_once("\r\n\r\n").unwrap();
    crate::openapi::names_all_of("Readiness", &serde_json::from_str(body).unwrap());
    let metrics = ask(&mut stream, "GET", "/metrics", "").await;
    let seconds = EXPIRES_AT / 1000;
    let line = format!("collector_tls_certificate_expiry_timestamp_seconds {seconds}\n");
    assert!(metrics.contains(&line), "{metrics}");
}

#[tokio::test]
async fn who_speaks_no_tls_is_counted_and_not_answered() {
    let ((pair, trusted), data_dir) = (Pair::new(), TempDir::new().unwrap());
    let collector = pair.collector(&data_dir, &[]).await;
    let plain = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answer = exchange(collector.address, plain).await.unwrap_or_default();
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    let mut stream = connect(collector.address, &trusted).await.unwrap();
    // The stack itself asks once in plain HTTP whether the collector lives.
    let refused = "collector_tls_handshakes_failed_total{reason=\"refused\"}";
    // Who is refused hears of it before it is counted.
    comes_to(&mut stream, refused, |handshakes| handshakes >= 2.0).await;
}

#[tokio::test]
async fn a_renewed_certificate_is_seen_by_the_next_handshake_only() {
    let ((pair, first), data_dir) = (Pair::new(), TempDir::new().unwrap());
    let collector = pair.collector(&data_dir, &[]).await;
    let mut open = connect(collector.address, &first).await.unwrap();
    ask(&mut open, "GET", "/healthz", "").await;
    let second = pair.renew();
    collector.handle.reload();
    eventually("a handshake sees the new certificate", || async {
        connect(collector.address, &second).await.is_ok()
    })
    .await;
    assert!(connect(collector.address, &first).await.is_err(), "the old one is no longer shown");
    let answer = ask(&mut open, "GET", "/healthz", "").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "the open connection goes on: {answer}");
}

#[tokio::test]
async fn a_broken_file_keeps_the_certificate_in_use() {
    let ((pair, trusted), data_dir) = (Pair::new(), TempDir::new().unwrap());
    let collector = pair.collector(&data_dir, &[]).await;
    // Another's key: each file is whole, but the two do not belong together.
    fs::write(pair.file("key.pem"), KeyPair::generate().unwrap().serialize_pem()).unwrap();
    collector.handle.reload();
    let mut open = connect(collector.address, &trusted).await.unwrap();
    // The collector may also have found the file by itself, and so twice.
    let refused = "collector_tls_reloads_total{outcome=\"refused\"}";
    comes_to(&mut open, refused, |reloads| reloads >= 1.0).await;
    let mut next = connect(collector.address, &trusted).await.unwrap();
    assert!(ask(&mut next, "GET", "/healthz", "").await.starts_with("HTTP/1.1 200"));
}

/// Whether the other end closes it, and nothing came before.
async fn is_closed(silent: &mut TcpStream) -> bool {
    let closed = within("the silent one is turned away", silent.read(&mut [0])).await;
    matches!(closed, Ok(0) | Err(_))
}

#[tokio::test]
async fn a_handshake_that_takes_for_ever_is_ended_and_counted() {
    let ((pair, trusted), data_dir) = (Pair::new(), TempDir::new().unwrap());
    // Whoever asks below has this time too, on a machine that may stand still for a moment.
    let collector = pair.collector(&data_dir, &["--header-timeout", "3s"]).await;
    let mut silent = TcpStream::connect(collector.address).await.unwrap();
    assert!(is_closed(&mut silent).await);
    let mut stream = connect(collector.address, &trusted).await.unwrap();
    let ended = "collector_tls_handshakes_failed_total{reason=\"timeout\"}";
    comes_to(&mut stream, ended, |handshakes| handshakes >= 1.0).await;
}

#[tokio::test]
async fn a_slow_handshake_does_not_hold_a_slot() {
    let ((pair, trusted), data_dir) = (Pair::new(), TempDir::new().unwrap());
    let collector = pair.collector(&data_dir, &["--connections-max", "8"]).await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(TcpStream::connect(collector.address).await.unwrap());
    }
    // Waits for a slot until the longest silent one gives way.
    let mut stream = connect(collector.address, &trusted).await.unwrap();
    let answer = ask(&mut stream, "GET", "/healthz", "").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(is_closed(&mut silent[0]).await);
    // It gave way before its own time was up.
    let late = "collector_tls_handshakes_failed_total{reason=\"timeout\"}";
    assert_eq!(value(&ask(&mut stream, "GET", "/metrics", "").await, late), 0.0);
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_handshake() {
    let ((pair, trusted), data_dir) = (Pair::new(), TempDir::new().unwrap());
    let collector = pair.collector(&data_dir, &["--drain-timeout", "100ms"]).await;
    let mut stream = connect(collector.address, &trusted).await.unwrap();
    // The start's own question, by no TLS, may still be counted.
    comes_to(&mut stream, "collector_connections", |open| open <= 1.0).await;
    let _silent = TcpStream::connect(collector.address).await.unwrap();
    comes_to(&mut stream, "collector_connections", |open| open >= 2.0).await;
    // A handshake has ten seconds, and so have the requests under way.
    let stop = tokio::time::timeout(Duration::from_secs(8), collector.stop());
    stop.await.expect("it waited for the handshake");
}
