//! A block into ClickHouse part by part: whole while it is taken whole, by halves where it is refused,
//! until the rows at fault are alone and become dead letters.
//!
//! Each row is in once, whatever crashes, but for one case: the answer to an insert is lost, and before
//! it is tried again a rule is added that refuses rows already in. These may then be in twice, until the
//! table merges rows of one key.

use std::io;
use std::ops::Range;
use std::time::Instant;

use clickhouse::error::Error;

use super::clickhouse::code;
use super::drain::Packed;
use super::{Part, Sink};
use crate::clock::Clock;
use crate::dead_letters::{DeadLetters, KeepError, Letter};
use crate::error::{SinkError, chain};
use crate::metrics::Metrics;
use crate::spool::Journal;
use crate::spool::block::{Block, Table};

/// Rows of one block that may become dead letters. Where more are refused it is not the rows that are
/// at fault, and a person must look.
const BAD_ROWS_MAX: usize = 1000;

/// What is needed beside the block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Splitter<'a> {
    pub(crate) dead: &'a DeadLetters,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) metrics: &'a Metrics,
}

/// Where the block's rows are now.
#[derive(Debug)]
pub(super) enum Placed {
    /// In ClickHouse, but for so many dead letters.
    In { bad_rows: usize },
    /// Some are not, and cannot be dead letters either.
    Stuck { reason: String },
}

/// What is tried again.
#[derive(Debug, thiserror::Error)]
pub(super) enum Again {
    #[error(transparent)]
    Sink(#[from] SinkError),
    #[error("cannot read, write or move a file of the spool")]
    File(#[from] io::Error),
}

impl Splitter<'_> {
    /// Puts the block in. A crash or an outage at any point is made good by doing it again. `refusal` is an
    /// answer's code that counts as a refusal too.
    pub(super) async fn place(
        &self,
        packed: &Packed,
        mut journal: Journal,
        sink: &impl Sink,
        refusal: Option<u32>,
    ) -> Result<Placed, Again> {
        let block = &packed.block;
        let mut bad_rows = 0;
        for table in Table::ALL {
            let rows: Vec<_> = block.rows(table).collect();
            let mut parts = Vec::from([Range { start: 0, end: rows.len() }]);
            while let Some(range) = parts.pop() {
                let Some(part) = rows.get(range.clone()).filter(|part| !part.is_empty()) else {
                    continue;
                };
                let part = Part {
                    table,
                    columns: block.columns(table),
                    token: token(block, table, &range, rows.len()),
                    rows: part,
                    native: packed.native(table).filter(|_| part.len() == rows.len()),
                };
                let reason = if journal.is_refused(table, &range) {
                    None
                } else {
                    match self.insert(&part, sink).await {
                        Ok(()) => continue,
                        Err(error) if is_refused(&error, refusal) => Some(chain(&error)),
                        Err(error) => return Err(error.into()),
                    }
                };
                if let (1, Some(reason)) = (part.rows.len(), &reason)
                    && let Err(stuck) = self.bury(&part, reason)?
                {
                    return Ok(stuck);
                }
                if reason.is_some() {
                    journal.refuse(table, &range)?;
                }
                if range.len() == 1 {
                    bad_rows += 1;
                } else {
                    let middle = range.start + range.len() / 2;
                    // The first half is taken from the stack first.
                    parts.extend([middle..range.end, range.start..middle]);
                }
                if bad_rows >= BAD_ROWS_MAX && !parts.is_empty() {
                    let reason = reason.unwrap_or_default();
                    return Ok(Placed::Stuck {
                        reason: format!("{bad_rows} rows are refused, the last: {reason}"),
                    });
                }
            }
        }
        Ok(Placed::In { bad_rows })
    }

    /// Inserts, and measures what went in.
    async fn insert(&self, part: &Part<'_>, sink: &impl Sink) -> Result<(), SinkError> {
        let began = Instant::now();
        sink.insert(part).await?;
        let (rows, inserts) = (part.rows.len() as u64, &self.metrics.inserts);
        inserts.seconds.observe_time(began.elapsed());
        inserts.rows.observe(rows);
        inserts.bytes.observe(part.rows.iter().map(|row| row.len() as u64).sum());
        self.metrics.inserted(part.table, rows);
        self.metrics.inserted_at(self.clock.now_millis());
        Ok(())
    }

    /// Makes the part's only row a dead letter.
    fn bury(&self, part: &Part<'_>, reason: &str) -> Result<Result<(), Placed>, io::Error> {
        let row = part.rows.first().copied().unwrap_or_default();
        let now = self.clock.now_millis();
        let letter = Letter::new(&part.token, part.table, part.columns, row, reason, now);
        match self.dead.keep(&letter) {
            Ok(()) => {
                self.metrics.dead_letter(part.table);
                tracing::error!(id = %letter.id, %reason, "ClickHouse refuses a row, it is a dead letter");
                Ok(Ok(()))
            }
            Err(full @ KeepError::Full) => {
                Ok(Err(Placed::Stuck { reason: format!("{full}; a row is refused: {reason}") }))
            }
            Err(KeepError::Io(error)) => Err(error),
        }
    }
}

fn is_refused(error: &SinkError, refusal: Option<u32>) -> bool {
    match error {
        SinkError::Reject(_) => true,
        SinkError::Retry(Error::BadResponse(answer)) => {
            refusal.is_some() && code(answer) == refusal
        }
        SinkError::Retry(_) => false,
    }
}

/// The whole of a table's rows has the block's own token, a part of them one that says which.
fn token(block: &Block, table: Table, range: &Range<usize>, rows: usize) -> String {
    let whole = block.token(table);
    if range.len() == rows { whole } else { format!("{whole}-{}-{}", range.start, range.end) }
}

#[cfg(test)]
mod tests;
