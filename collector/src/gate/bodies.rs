//! Room for bodies that come in pieces: whoever sends a large one slowly holds it for as long as a body may take.
//! And for long answers, while they wait for the disk.

use tokio::sync::{Semaphore, SemaphorePermit};
use wire::limits::BODY_BYTES_MAX;

use crate::error::Rejection;

/// Bytes of a body that needs no room of its own: a page sends no more
/// (<https://fetch.spec.whatwg.org/#http-network-or-cache-fetch>, 64 KiB of keepalive).
const SMALL_BYTES_MAX: usize = 64 * 1024;
/// How many of the largest may be under way at a time.
const LARGEST_AT_A_TIME: usize = 64;

/// What is left of the memory for large bodies. With the small ones of 4096 connections it is 320 MiB in all.
#[derive(Debug)]
pub(crate) struct Bodies(Semaphore);

impl Bodies {
    pub(crate) const fn new() -> Self {
        Self(Semaphore::const_new(LARGEST_AT_A_TIME * BODY_BYTES_MAX / SMALL_BYTES_MAX))
    }

    /// For a body of so many bytes, of up to the largest where that is not said; held until it has come, or until
    /// the answer is given.
    pub(crate) fn room(
        &self,
        bytes: Option<usize>,
    ) -> Result<Option<SemaphorePermit<'_>>, Rejection> {
        let bytes = bytes.unwrap_or(BODY_BYTES_MAX);
        if bytes <= SMALL_BYTES_MAX {
            return Ok(None);
        }
        let parts = u32::try_from(bytes.div_ceil(SMALL_BYTES_MAX)).unwrap_or(u32::MAX);
        self.0.try_acquire_many(parts).map(Some).map_err(|_| Rejection::BodiesFull)
    }
}
