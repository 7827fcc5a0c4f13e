//! Events in blocks: what one INSERT takes.

use std::ops::Range;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};
use store::{EventRow, Server, ServerError};

use super::ImportError;

/// Events of one block: enough that ClickHouse makes few parts.
const ROWS_MAX: usize = 50_000;

/// Bytes of a block's rows as they stand in the file. Bounds the memory where rows are long.
const BYTES_MAX: usize = 32 * 1024 * 1024;

/// Months of one INSERT. ClickHouse refuses an INSERT into more than 100 partitions
/// (`max_partitions_per_insert_block`), and `events` has one per month.
const MONTHS_MAX: usize = 100;

/// How long ClickHouse may take for one INSERT.
const INSERT_TIMEOUT: Duration = Duration::from_secs(120);

/// How often an INSERT is sent where ClickHouse is away or slow, and the pause between, which doubles.
const ATTEMPTS_MAX: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// Events on their way.
pub(super) struct Block {
    rows: Vec<EventRow>,
    bytes: usize,
    received_at: i64,
}

impl Block {
    pub(super) fn new(received_at: i64) -> Self {
        Self { rows: Vec::new(), bytes: 0, received_at }
    }

    pub(super) fn push(&mut self, row: EventRow, bytes: usize) {
        self.rows.push(row);
        self.bytes += bytes;
    }

    pub(super) fn is_full(&self) -> bool {
        self.rows.len() >= ROWS_MAX || self.bytes >= BYTES_MAX
    }

    /// Stores the events, gives them back and leaves the block empty; `line` is the last one read.
    pub(super) async fn write(
        &mut self,
        server: &Server,
        line: u64,
    ) -> Result<Vec<EventRow>, ImportError> {
        self.bytes = 0;
        let mut rows = std::mem::take(&mut self.rows);
        rows.sort_by_cached_key(|row| (month(row), row.visitor_id, row.occurred_at));
        for part in parts(&rows, MONTHS_MAX) {
            let part = rows.get(part).unwrap_or_default();
            let token = token(part, self.received_at);
            insert(server, part, &token)
                .await
                .map_err(|source| ImportError::Store { line, source })?;
        }
        Ok(rows)
    }
}

/// Sends until ClickHouse has taken it. The token makes it harmless that an INSERT whose answer was
/// lost is sent again.
async fn insert(server: &Server, rows: &[EventRow], token: &str) -> Result<(), ServerError> {
    let mut pause = PAUSE;
    for _ in 1..ATTEMPTS_MAX {
        match server.within(INSERT_TIMEOUT, send(server, rows, token)).await {
            Err(ServerError::Unreachable { .. } | ServerError::TimedOut { .. }) => {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            answer => return answer,
        }
    }
    server.within(INSERT_TIMEOUT, send(server, rows, token)).await
}

async fn send(
    server: &Server,
    rows: &[EventRow],
    token: &str,
) -> Result<(), clickhouse::error::Error> {
    let insert = server.client().insert::<EventRow>("events").await?;
    let mut insert = insert.with_setting("insert_deduplication_token", token);
    for row in rows {
        insert.write(row).await?;
    }
    insert.end().await
}

/// What tells these rows from all others. The import's time is in it: events that were deleted since
/// come back when their file is imported again, although ClickHouse has seen them before.
fn token(rows: &[EventRow], received_at: i64) -> String {
    let mut hash = Sha256::new();
    hash.update(received_at.to_le_bytes());
    for row in rows {
        hash.update(row.event_id.as_bytes());
    }
    hex::encode(hash.finalize())
}

/// The partition of `events`: year and month, UTC.
fn month(row: &EventRow) -> (i16, i8) {
    // Out of jiff's range is out of `occurred_at`'s, which was checked when the row was made.
    let time = Timestamp::from_millisecond(row.occurred_at).unwrap_or_default();
    let date = time.to_zoned(TimeZone::UTC).date();
    (date.year(), date.month())
}

/// Rows in order of months, as ranges of so many months at most.
fn parts(rows: &[EventRow], months_max: usize) -> Vec<Range<usize>> {
    let months = rows.chunk_by(|one, next| month(one) == month(next)).map(<[_]>::len);
    let months: Vec<usize> = months.collect();
    let mut start = 0;
    let lengths = months.chunks(months_max).map(|months| months.iter().sum::<usize>());
    let ranges = lengths.map(|length| {
        let range = start..start + length;
        start = range.end;
        range
    });
    ranges.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One event in each of these months since 1970.
    fn rows(months: impl Iterator<Item = i64>) -> Vec<EventRow> {
        let middle = |month: i64| {
            let (year, month) = (1970 + month / 12, month % 12 + 1);
            format!("{year}-{month:02}-15T00:00:00Z").parse::<Timestamp>().unwrap()
        };
        let row =
            |month| EventRow { occurred_at: middle(month).as_millisecond(), ..EventRow::default() };
        months.map(row).collect()
    }

    #[test]
    fn no_part_has_more_months_than_clickhouse_takes() {
        let rows = rows((0..250).flat_map(|month| [month, month]));
        assert_eq!(parts(&rows, 100), [0..200, 200..400, 400..500]);
        assert_eq!(parts(&rows[..4], 1), [0..2, 2..4]);
        assert!(parts(&[], 100).is_empty());
    }

    #[test]
    fn a_block_is_full_by_rows_or_by_bytes() {
        let mut block = Block::new(0);
        for _ in 1..ROWS_MAX {
            block.push(EventRow::default(), 1);
        }
        assert!(!block.is_full());
        block.push(EventRow::default(), 1);
        assert!(block.is_full());
        let mut block = Block::new(0);
        block.push(EventRow::default(), BYTES_MAX);
        assert!(block.is_full());
    }

    #[test]
    fn another_import_has_another_token() {
        let rows = rows(0..3);
        assert_eq!(token(&rows, 1), token(&rows, 1));
        assert_ne!(token(&rows, 1), token(&rows, 2));
        assert_ne!(token(&rows, 1), token(&rows[..2], 1));
    }
}
