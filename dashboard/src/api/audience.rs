//! `/api/v1/audience/google.csv`: people leave here, so everything that lets them through is `audience`'s.

use std::io::{self, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use audience::destination::google::CustomerMatchCsv;
use audience::{Audience, SIZE_MIN_DEFAULT, Snapshot};
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use tokio::sync::mpsc;

use super::Refused;
use super::segment::rule;
use crate::parameters::Parameters;
use crate::server::Dashboard;

const SIZE_MIN_HINT: &str = "with fewer people than this nothing leaves; a whole number";

/// Bytes of the file that are made before a slow reader must take some.
const CHUNK_BYTES: usize = 64 * 1024;
const CHUNKS_WAITING_MAX: usize = 4;

pub(crate) async fn google(
    State(dashboard): State<Arc<Dashboard>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let parameters = Parameters::read(query.as_deref(), &["site", "rule", "size_min"])?;
    let rule = rule(&parameters)?;
    let size_min = parameters.parsed("size_min", SIZE_MIN_HINT)?.unwrap_or(SIZE_MIN_DEFAULT);
    let site = super::site(&dashboard, &parameters).await?;
    let name = format!("attachment; filename=\"{site}-google-customer-match.csv\"");
    let audience = Audience { site, rule, size_min, now: dashboard.now() };
    let snapshot = audience.snapshot(&dashboard.server, CustomerMatchCsv).await?;
    let receipt = snapshot.receipt();
    tracing::info!(site = %receipt.site, destination = receipt.destination, %receipt, "an audience leaves");
    let headers = [(CONTENT_TYPE, "text/csv; charset=utf-8"), (CONTENT_DISPOSITION, name.as_str())];
    Ok((headers, Body::new(Written::of(snapshot))).into_response())
}

/// A file that is written while it is sent, so that it is never in memory as a whole.
struct Written(mpsc::Receiver<io::Result<Bytes>>);

impl Written {
    fn of(snapshot: Snapshot<CustomerMatchCsv>) -> Self {
        let (chunks, written) = mpsc::channel(CHUNKS_WAITING_MAX);
        tokio::task::spawn_blocking(move || {
            let mut out = io::BufWriter::with_capacity(CHUNK_BYTES, Chunks(chunks.clone()));
            let done = snapshot.write(&mut out).map_err(io::Error::other);
            if let Err(error) = done.and_then(|()| out.flush()) {
                // Where the reader has gone, there is nobody to tell.
                drop(chunks.blocking_send(Err(error)));
            }
        });
        Self(written)
    }
}

impl hyper::body::Body for Written {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(context).map(|chunk| chunk.map(|chunk| chunk.map(Frame::data)))
    }
}

struct Chunks(mpsc::Sender<io::Result<Bytes>>);

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let chunk = Bytes::copy_from_slice(bytes);
        self.0.blocking_send(Ok(chunk)).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
