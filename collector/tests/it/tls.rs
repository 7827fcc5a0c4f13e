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
use crate::stack::{Collector, away, batch, eventually, page_view};

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
        assert!(stream.read_buf(&mut read).await.unwrap() > 0, "closed before the answer");
        let text = String::from_utf8_lossy(&read).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() == length.parse::<usize>().unwrap() {
            return text;
        }
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
    let line = "collector_tls_handshakes_failed_total{reason=\"refused\"} 2\n";
    // Who is refused hears of it before it is counted.
    let asked = Instant::now();
    loop {
        let metrics = ask(&mut stream, "GET", "/metrics", "").await;
        if metrics.contains(line) {
            break;
        }
        assert!(asked.elapsed() < Duration::from_secs(30), "{metrics}");
    }
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
    loop {
        let metrics = ask(&mut open, "GET", "/metrics", "").await;
        if metrics.contains("collector_tls_reloads_total{outcome=\"refused\"} 1\n") {
            break;
        }
    }
    let mut next = connect(collector.address, &trusted).await.unwrap();
    assert!(ask(&mut next, "GET", "/healthz", "").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_slow_handshake_does_not_hold_a_slot() {
    let ((pair, trusted), data_dir) = (Pair::new(), TempDir::new().unwrap());
    let flags = ["--connections-max", "1", "--header-timeout", "200ms"];
    let collector = pair.collector(&data_dir, &flags).await;
    let mut silent = TcpStream::connect(collector.address).await.unwrap();
    // Waits for the only slot until the silent one is turned away.
    let mut stream = connect(collector.address, &trusted).await.unwrap();
    let metrics = ask(&mut stream, "GET", "/metrics", "").await;
    let line = "collector_tls_handshakes_failed_total{reason=\"timeout\"} 1\n";
    assert!(metrics.contains(line), "{metrics}");
    let closed = silent.read(&mut [0]).await;
    assert!(matches!(closed, Ok(0) | Err(_)), "{closed:?}");
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_handshake() {
    let ((pair, trusted), data_dir) = (Pair::new(), TempDir::new().unwrap());
    let collector = pair.collector(&data_dir, &["--drain-timeout", "100ms"]).await;
    let mut stream = connect(collector.address, &trusted).await.unwrap();
    let _silent = TcpStream::connect(collector.address).await.unwrap();
    while !ask(&mut stream, "GET", "/metrics", "").await.contains("collector_connections 2\n") {}
    let stop = tokio::time::timeout(Duration::from_secs(5), collector.stop());
    stop.await.expect("half of a handshake's time and of a request's");
}
