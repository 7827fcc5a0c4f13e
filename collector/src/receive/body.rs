//! A request's body: not too long, not too slow, as it was before it was compressed, and with no half of a
//! character in it.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::header::HeaderMap;
use wire::limits::BODY_BYTES_MAX;

use super::encoding::Encoding;
use super::json_text;
use crate::error::Rejection;
use crate::gate::{Bodies, UnderWay};

/// How much of a body that is too long is read and thrown away. A client that is still writing does
/// not read its answer; this lets an honest one come to the end of a body a few times too long.
const THROWN_AWAY_BYTES_MAX: usize = 8 * BODY_BYTES_MAX;

/// A body that comes, and the request that it is of: its connection may have to give way while it does not.
pub(crate) struct Coming<'a> {
    body: Incoming,
    under_way: &'a UnderWay,
    /// Bytes of it since they were last enough to stay for.
    bytes: usize,
}

impl<'a> Coming<'a> {
    pub(crate) const fn new(body: Incoming, under_way: &'a UnderWay) -> Self {
        Self { body, under_way, bytes: 0 }
    }

    /// The next piece; none at the end.
    async fn piece(&mut self) -> Result<Option<Bytes>, Rejection> {
        while let Some(frame) = self.body.frame().await {
            let frame = frame.map_err(|_| Rejection::BodyIncomplete)?;
            // What is no data are trailers.
            let Ok(data) = frame.into_data() else { continue };
            self.bytes += data.len();
            if self.under_way.awaits_anew(self.bytes) {
                self.bytes = 0;
            }
            return Ok(Some(data));
        }
        Ok(None)
    }
}

/// Reads the whole body, which is JSON.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Coming<'_>,
    bodies: &Bodies,
    timeout: Duration,
) -> Result<Bytes, Rejection> {
    let under_way = body.under_way;
    let mut read = pin!(async {
        let plain = match Encoding::of(headers) {
            Ok(None) => read_all(body, bodies).await?,
            Ok(Some(encoding)) => encoding.decode(&read_all(body, bodies).await?)?.into(),
            Err(rejection) => return throw_away(body, 0).await.and(Err(rejection)),
        };
        Ok(json_text::mended(plain))
    });
    // Most bodies have come with their head, and need no timer.
    if let Poll::Ready(read) = poll_fn(|context| Poll::Ready(read.as_mut().poll(context))).await {
        return read;
    }
    let _awaited = under_way.awaits_body();
    tokio::time::timeout(timeout, read).await.unwrap_or(Err(Rejection::BodyTimeout { timeout }))
}

/// Lets a client whose body is not wanted come to its end, so that it reads why.
pub(crate) async fn discard(body: Coming<'_>, timeout: Duration) {
    let _awaited = body.under_way.awaits_body();
    drop(tokio::time::timeout(timeout, throw_away(body, 0)).await);
}

/// A body that came in one piece is not copied.
async fn read_all(mut coming: Coming<'_>, bodies: &Bodies) -> Result<Bytes, Rejection> {
    let said = coming.body.size_hint().exact();
    let said = said.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    let declared = said.unwrap_or(0);
    let mut _room = None;
    let mut bytes = Vec::new();
    while let Some(data) = coming.piece().await? {
        if declared > BODY_BYTES_MAX || bytes.len() + data.len() > BODY_BYTES_MAX {
            throw_away(coming, bytes.len() + data.len()).await?;
            return Err(Rejection::BodyTooLarge { bytes_max: BODY_BYTES_MAX });
        }
        if bytes.is_empty() {
            if coming.body.is_end_stream() {
                return Ok(data);
            }
            _room = match bodies.room(said) {
                Ok(room) => room,
                Err(full) => {
                    throw_away(coming, data.len()).await?;
                    return Err(full);
                }
            };
            bytes.reserve_exact(declared.clamp(data.len(), BODY_BYTES_MAX));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.into())
}

async fn throw_away(mut coming: Coming<'_>, mut bytes: usize) -> Result<(), Rejection> {
    while bytes < THROWN_AWAY_BYTES_MAX {
        let Some(data) = coming.piece().await? else { break };
        bytes += data.len();
    }
    Ok(())
}
