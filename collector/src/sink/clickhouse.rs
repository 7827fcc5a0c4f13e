//! Rows into ClickHouse by the `clickhouse` crate, one insert per part.

use std::time::Duration;

use bytes::Bytes;
use clickhouse::error::Error;
use clickhouse::insert_formatted::InsertFormatted;
use clickhouse::{Client, Compression};
use tokio::runtime::{Handle, RuntimeFlavor};

use super::{Part, Sink, sql};
use crate::error::SinkError;
use crate::spool::columns;

/// Bytes handed to the connection at a time; they are compressed together, which takes half a millisecond.
const CHUNK_BYTES: usize = 256 * 1024;
/// The same where nothing is compressed. Between two chunks all requests that wait have their turn, so of
/// small ones a block under load takes as long as thousands of requests do.
const PLAIN_CHUNK_BYTES: usize = 4 * 1024 * 1024;
/// How long the connection may take a chunk, and the server the whole insert.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
const END_TIMEOUT: Duration = Duration::from_secs(60);
/// How long it may take to say that it is there.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// ClickHouse's error codes that mean: these bytes are no rows of this table, and will never be. (What each is
/// called: `SELECT errorCodeToName(27)`.) Also of views and constraints that the operator has added.
/// Anything else may pass: a server that is full, read-only, starting or not yet migrated.
const DATA_CODES: [u32; 29] = [
    6, 25, 26, 27, 32, 33, 38, 41, 49, 53, 69, 70, 72, 117, 128, 130, 131, 153, 321, 349, 376, 395,
    407, 441, 467, 469, 675, 676, 691,
];

/// Inserts parts of blocks.
#[derive(Clone)]
pub(crate) struct ClickHouseSink {
    client: Client,
    chunk_bytes: usize,
}

impl ClickHouseSink {
    pub(crate) fn new(server: &store::Server) -> Self {
        // On one machine LZ4 costs both sides more time than the bytes do.
        let (compression, chunk_bytes) = if server.is_on_loopback() {
            (Compression::None, PLAIN_CHUNK_BYTES)
        } else {
            (Compression::Lz4, CHUNK_BYTES)
        };
        let client = server
            .client()
            .clone()
            .with_compression(compression)
            // The token is what makes a retry the same insert. With asynchronous inserts it would not.
            .with_setting("insert_deduplicate", "1")
            .with_setting("async_insert", "0")
            // Rows of one key become one when parts are merged or are read with FINAL, as for rows of two
            // blocks. To merge each block by itself before would be half of an insert's time.
            .with_setting("optimize_on_insert", "0")
            // A block may hold events of any month, above all an import's.
            .with_setting("max_partitions_per_insert_block", "0");
        Self { client, chunk_bytes }
    }
}

impl ClickHouseSink {
    fn begin(&self, part: &Part<'_>, format: &str) -> InsertFormatted {
        self.client
            .insert_formatted_with(sql::insert(part.table.name(), part.columns, format))
            .with_setting("insert_deduplication_token", part.token.as_str())
            .with_timeouts(Some(SEND_TIMEOUT), Some(END_TIMEOUT))
    }

    async fn insert_native(
        &self,
        part: &Part<'_>,
        native: impl IntoIterator<Item = Bytes> + Send,
    ) -> Result<(), SinkError> {
        let mut insert = self.begin(part, "Native");
        for mut piece in native {
            while !piece.is_empty() {
                let chunk = piece.split_to(piece.len().min(self.chunk_bytes));
                insert.send(chunk).await.map_err(classify)?;
            }
        }
        insert.end().await.map_err(classify)
    }

    /// As the rows lie in the spool.
    async fn insert_rows(&self, part: &Part<'_>) -> Result<(), SinkError> {
        let mut insert = self.begin(part, "RowBinary").buffered_with_capacity(CHUNK_BYTES);
        for row in part.rows {
            insert.write_buffered(row);
            if insert.buf_len() >= CHUNK_BYTES {
                insert.flush().await.map_err(classify)?;
            }
        }
        insert.end().await.map_err(classify)
    }
}

impl Sink for ClickHouseSink {
    async fn insert(&self, part: &Part<'_>) -> Result<(), SinkError> {
        if let Some(native) = part.native {
            return self.insert_native(part, native.iter().cloned()).await;
        }
        // Nothing is sent yet. ClickHouse would say of such a row that it cannot be read.
        let native =
            computing(|| columns::native(part.table, part.columns, part.rows.iter().copied()))
                .map_err(|error| SinkError::Reject(Error::DataFormat(error.into())))?;
        match native {
            Some(native) => self.insert_native(part, native).await,
            None => self.insert_rows(part).await,
        }
    }

    async fn answers(&self) -> Result<(), SinkError> {
        let answer = self.client.query(sql::ANSWERS).fetch_one::<u8>();
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, answer).await;
        answer.unwrap_or(Err(Error::TimedOut)).map(drop).map_err(SinkError::Retry)
    }
}

/// Some tens of milliseconds of work on a block, during which other threads take this one's tasks over.
fn computing<T>(work: impl FnOnce() -> T) -> T {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// Whether the same rows could go in later.
pub(super) fn classify(error: Error) -> SinkError {
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
