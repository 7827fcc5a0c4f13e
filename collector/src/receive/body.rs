//! A request's body: not too long, not too slow, and as it was before it was compressed.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::header::HeaderMap;
use wire::limits::BODY_BYTES_MAX;

use super::encoding::Encoding;
use crate::error::Rejection;

/// How much of a body that is too long is read and thrown away. A client that is still writing does
/// not read its answer; this lets an honest one come to the end of a body a few times too long.
const THROWN_AWAY_BYTES_MAX: usize = 8 * BODY_BYTES_MAX;

/// Reads the whole body.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Incoming,
    timeout: Duration,
) -> Result<Vec<u8>, Rejection> {
    let read = async {
        match Encoding::of(headers) {
            Ok(None) => read_all(body).await,
            Ok(Some(encoding)) => encoding.decode(&read_all(body).await?),
            Err(rejection) => throw_away(body, 0).await.and(Err(rejection)),
        }
    };
    tokio::time::timeout(timeout, read).await.unwrap_or(Err(Rejection::BodyTimeout { timeout }))
}

/// Lets a client whose body is not wanted come to its end, so that it reads why.
pub(crate) async fn discard(body: Incoming, timeout: Duration) {
    drop(tokio::time::timeout(timeout, throw_away(body, 0)).await);
}

async fn read_all(mut body: Incoming) -> Result<Vec<u8>, Rejection> {
    let declared = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut bytes = Vec::with_capacity(declared.min(BODY_BYTES_MAX));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Rejection::BodyIncomplete)?;
        let Some(data) = frame.data_ref() else { continue };
        if declared > BODY_BYTES_MAX || bytes.len() + data.len() > BODY_BYTES_MAX {
            throw_away(body, bytes.len() + data.len()).await?;
            return Err(Rejection::BodyTooLarge { bytes_max: BODY_BYTES_MAX });
        }
        bytes.extend_from_slice(data);
    }
    Ok(bytes)
}

async fn throw_away(mut body: Incoming, mut bytes: usize) -> Result<(), Rejection> {
    while bytes < THROWN_AWAY_BYTES_MAX {
        let Some(frame) = body.frame().await else { break };
        bytes +=
            frame.map_err(|_| Rejection::BodyIncomplete)?.data_ref().map_or(0, bytes::Bytes::len);
    }
    Ok(())
}
