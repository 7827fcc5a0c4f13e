//! The certificate in use, replaced when its files have changed.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::{Loaded, TlsError, TlsFiles};
use crate::changes::{Changes, LOOK_AGAIN};
use crate::error::chain;
use crate::metrics::Metrics;

/// How long a handshake may take. It is two flights; on the worst of mobile networks some seconds.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The certificate that new handshakes see.
#[derive(Debug)]
pub(crate) struct LiveTls {
    files: TlsFiles,
    current: RwLock<Loaded>,
    changes: Mutex<Changes>,
}

/// Why a connection came to no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HandshakeFailure {
    /// The client took too long.
    Timeout,
    /// The client spoke no TLS, none that is taken here, or did not trust the certificate.
    Refused,
}

impl HandshakeFailure {
    pub(crate) const ALL: [Self; 2] = [Self::Timeout, Self::Refused];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Refused => "refused",
        }
    }
}

impl LiveTls {
    pub(crate) fn open(files: TlsFiles) -> Result<Self, TlsError> {
        let changes = Mutex::new(Changes::of([files.cert.clone(), files.key.clone()]));
        let current = RwLock::new(files.load()?);
        Ok(Self { files, current, changes })
    }

    /// When the certificate in use expires, in milliseconds since 1970, if it can be told.
    pub(crate) fn expires_at(&self) -> Option<i64> {
        self.current().expires_at
    }

    pub(super) fn current(&self) -> Loaded {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The connection behind its handshake, which may not take longer than this or ten seconds.
    pub(crate) async fn accept(
        &self,
        stream: TcpStream,
        timeout: Duration,
    ) -> Result<TlsStream<TcpStream>, HandshakeFailure> {
        let handshake = TlsAcceptor::from(self.current().config).accept(stream);
        match tokio::time::timeout(timeout.min(HANDSHAKE_TIMEOUT), handshake).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a TLS handshake failed");
                Err(HandshakeFailure::Refused)
            }
            Err(_) => Err(HandshakeFailure::Timeout),
        }
    }

    /// Reads both files anew. Where they cannot be used, the former certificate stays in use, which
    /// is logged and counted. Gives whether the new one is in use.
    pub(crate) fn reload(&self, metrics: &Metrics) -> bool {
        match self.files.load() {
            Ok(loaded) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = loaded;
                metrics.tls_reloads.taken.inc();
                tracing::info!(file = %self.files.cert.display(), "the certificate was read again");
                true
            }
            Err(error) => {
                metrics.tls_reloads.refused.inc();
                let error = chain(&error);
                tracing::error!(%error, "the new certificate cannot be used, the former one stays in use");
                false
            }
        }
    }

    /// Takes changed files in, for ever.
    pub(crate) async fn keep_fresh(self: Arc<Self>, metrics: Arc<Metrics>) {
        loop {
            tokio::time::sleep(LOOK_AGAIN).await;
            let (live, metrics) = (Arc::clone(&self), Arc::clone(&metrics));
            // Files may lie on a slow disk.
            let looked = tokio::task::spawn_blocking(move || live.look(&metrics)).await;
            if looked.is_err() {
                return;
            }
        }
    }

    pub(super) fn look(&self, metrics: &Metrics) {
        let complete = self.changes.lock().unwrap_or_else(PoisonError::into_inner).are_complete();
        if complete {
            self.reload(metrics);
        }
    }
}
