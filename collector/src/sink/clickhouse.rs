//! Rows into ClickHouse by the `clickhouse` crate, one insert per part.

use std::time::Duration;

use clickhouse::Client;
use clickhouse::error::Error;

use super::{Part, Sink, sql};
use crate::error::SinkError;

/// Bytes handed to the connection at a time.
const CHUNK_BYTES: usize = 256 * 1024;
/// How long the connection may take a chunk, and the server the whole insert.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
const END_TIMEOUT: Duration = Duration::from_secs(60);

/// ClickHouse's error codes that mean: these bytes are no rows of this table, and will never be.
/// Anything else may pass: a server that is full, read-only, starting or not yet migrated.
const DATA_CODES: [u32; 18] =
    [6, 26, 27, 32, 33, 38, 41, 49, 53, 69, 70, 72, 117, 128, 131, 321, 469, 691];

/// Inserts parts of blocks.
#[derive(Clone)]
pub(crate) struct ClickHouseSink {
    client: Client,
}

impl ClickHouseSink {
    pub(crate) fn new(server: &store::Server) -> Self {
        let client = server
            .client()
            .clone()
            // The token is what makes a retry the same insert. With asynchronous inserts it would not.
            .with_setting("insert_deduplicate", "1")
            .with_setting("async_insert", "0")
            // A block may hold events of any month, above all an import's.
            .with_setting("max_partitions_per_insert_block", "0");
        Self { client }
    }
}

impl Sink for ClickHouseSink {
    async fn insert(&self, part: &Part<'_>) -> Result<(), SinkError> {
        let mut insert = self
            .client
            .insert_formatted_with(sql::insert(part.table.name(), part.columns))
            .with_setting("insert_deduplication_token", part.token.as_str())
            .with_timeouts(Some(SEND_TIMEOUT), Some(END_TIMEOUT))
            .buffered_with_capacity(CHUNK_BYTES);
        for row in part.rows {
            insert.write_buffered(row);
            if insert.buf_len() >= CHUNK_BYTES {
                insert.flush().await.map_err(classify)?;
            }
        }
        insert.end().await.map_err(classify)
    }
}

/// Whether the same rows could go in later.
fn classify(error: Error) -> SinkError {
    match &error {
        Error::BadResponse(answer)
            if code(answer).is_some_and(|code| DATA_CODES.contains(&code)) =>
        {
            SinkError::Reject(error)
        }
        _ => SinkError::Retry(error),
    }
}

/// The code in `Code: 33. DB::Exception: ...`.
pub(super) fn code(answer: &str) -> Option<u32> {
    let (_, rest) = answer.split_once("Code: ")?;
    let (code, _) = rest.split_once('.')?;
    code.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bad_data_are_rejected() {
        let rejected = |answer: &str| {
            matches!(classify(Error::BadResponse(answer.to_owned())), SinkError::Reject(_))
        };
        assert!(rejected("Code: 33. DB::Exception: Cannot read all data. (CANNOT_READ_ALL_DATA)"));
        assert!(!rejected("Code: 60. DB::Exception: Table events does not exist. (UNKNOWN_TABLE)"));
        assert!(!rejected("Code: 252. DB::Exception: Too many parts. (TOO_MANY_PARTS)"));
        assert!(!rejected("502 Bad Gateway"));
        assert!(matches!(classify(Error::TimedOut), SinkError::Retry(_)));
    }
}
