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
    pub(crate) body: Incoming,
    pub(crate) under_way: &'a UnderWay,
}

/// Reads the whole body, which is JSON.
pub(crate) async fn read(
    headers: &HeaderMap,
    Coming { body, under_way }: Coming<'_>,
    bodies: &Bodies,
    timeout: Duration,
) -> Result<Bytes, Rejection> {
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
pub(crate) async fn discard(Coming { body, under_way }: Coming<'_>, timeout: Duration) {
    let _awaited = under_way.awaits_body();
    drop(tokio::time::timeout(timeout, throw_away(body, 0)).await);
}

/// A body that came in one piece is not copied.
async fn read_all(mut body: Incoming, bodies: &Bodies) -> Result<Bytes, Rejection> {
    let said = body.size_hint().exact().map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    let declared = said.unwrap_or(0);
    let mut _room = None;
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Rejection::BodyIncomplete)?;
        let Ok(data) = frame.into_data() else { continue };
        if declared > BODY_BYTES_MAX || bytes.len() + data.len() > BODY_BYTES_MAX {
            throw_away(body, bytes.len() + data.len()).await?;
            return Err(Rejection::BodyTooLarge { bytes_max: BODY_BYTES_MAX });
        }
        if bytes.is_empty() {
            if body.is_end_stream() {
                return Ok(data);
            }
            _room = match bodies.room(said) {
                Ok(room) => room,
                Err(full) => {
                    throw_away(body, data.len()).await?;
                    return Err(full);
                }
            };
            bytes.reserve_exact(declared.clamp(data.len(), BODY_BYTES_MAX));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.into())
}

async fn throw_away(mut body: Incoming, mut bytes: usize) -> Result<(), Rejection> {
    while bytes < THROWN_AWAY_BYTES_MAX {
        let Some(frame) = body.frame().await else { break };
        bytes += frame.map_err(|_| Rejection::BodyIncomplete)?.data_ref().map_or(0, Bytes::len);
    }
    Ok(())
}
