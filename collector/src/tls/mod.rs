//! TLS at the door: a certificate and its key from two files, taken in anew when they change.
//! A connection keeps what it began with; only new handshakes see a new certificate.

mod live;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use live::{HandshakeFailure, LiveTls};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// Why a certificate and its key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file is read, and what is wanted is not in it.
    #[error("{} has no {wanted} in the PEM format", path.display())]
    Absent {
        /// The file.
        path: PathBuf,
        /// A certificate or a private key.
        wanted: &'static str,
    },
    /// The two are not made for each other, or are of a kind that TLS cannot use.
    #[error("the certificate {} and the key {} cannot be used together", cert.display(), key.display())]
    Refused {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What rustls said.
        #[source]
        source: rustls::Error,
    },
}

/// Where the certificate and its key lie.
#[derive(Clone, Debug)]
pub(crate) struct TlsFiles {
    /// The server's certificate first, then those that lead to a root; PEM.
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

/// What new handshakes use.
#[derive(Clone, Debug)]
struct Loaded {
    config: Arc<ServerConfig>,
    /// Milliseconds since 1970; `None` where the certificate does not say it in a form that is read.
    expires_at: Option<i64>,
}

impl TlsFiles {
    fn load(&self) -> Result<Loaded, TlsError> {
        let certificates = CertificateDer::pem_slice_iter(&read(&self.cert)?)
            .collect::<Result<Vec<_>, _>>()
            .unwrap_or_default();
        let Some(expires_at) = certificates.first().map(|first| expires_at(first)) else {
            return Err(TlsError::Absent { path: self.cert.clone(), wanted: "certificate" });
        };
        // Not said why: the cause might quote the key.
        let key = PrivateKeyDer::from_pem_slice(&read(&self.key)?)
            .map_err(|_| TlsError::Absent { path: self.key.clone(), wanted: "private key" })?;
        let refused =
            |source| TlsError::Refused { cert: self.cert.clone(), key: self.key.clone(), source };
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(refused)?
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .map_err(refused)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Loaded { config: Arc::new(config), expires_at })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::File { path: path.to_owned(), source })
}

fn expires_at(certificate: &[u8]) -> Option<i64> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let not_after = certificate.tbs_certificate().validity().not_after;
    i64::try_from(not_after.to_unix_duration().as_millis()).ok()
}

#[cfg(test)]
mod tests;
