//! A dead letter put in after all, once.

use std::io;

use serde_json::value::RawValue;
use store::Server;

use super::{DeadLetters, Letter, RowError};
use crate::error::SinkError;
use crate::sink::{ClickHouseSink, Part, Sink};

/// Why a letter stays where it is.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Its row is none.
    #[error(transparent)]
    Row(#[from] RowError),
    /// ClickHouse is away, or refuses the row again.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The row is in ClickHouse, but the letter could not be taken away. Replaying it again does no harm.
    #[error("the row is in ClickHouse, but its letter cannot be removed")]
    Remove(#[source] io::Error),
}

/// Puts the letter's row in, or the mended row in its place, and takes the letter away. The same row is
/// put in under the same token however often this is tried, so it counts once.
///
/// # Errors
/// When the letter stays; see [`ReplayError`].
pub async fn replay(
    dead: &DeadLetters,
    server: &Server,
    letter: &Letter,
    mended: Option<&RawValue>,
) -> Result<(), ReplayError> {
    let stored = letter.stored(mended)?;
    let as_it_was = mended.is_none() || letter.stored(None)?.bytes == stored.bytes;
    let token = if as_it_was {
        letter.token.clone()
    } else {
        format!("{}-{:08x}", letter.token, crc32fast::hash(&stored.bytes))
    };
    let rows = [stored.bytes.as_slice()];
    let part = Part { table: stored.table, columns: &stored.columns, token, rows: &rows };
    ClickHouseSink::new(server).insert(&part).await?;
    dead.remove(&letter.id).map_err(ReplayError::Remove)
}
