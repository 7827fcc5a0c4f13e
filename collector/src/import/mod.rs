//! Events from a file of somebody else's making, by a [`Map`] of its columns.
//!
//! The same file again adds nothing: every id is made from the row's content, and every block's
//! token from its ids.

mod map;
mod report;
mod row;

use std::io::{self, BufRead, Read};
use std::time::Duration;

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};
use wire::SiteName;

pub use map::{Field, Map, MapError};
pub use report::{BadRow, Imported, RowReason};

use crate::clock::{Clock, SystemClock};
use crate::enrich::{EnrichedEvent, Visit};
use crate::error::SinkError;
use crate::sink::{ClickHouseSink, Sink};
use crate::spool::block::{Block, Frame, Table};
use crate::validate::{self, Times};
use map::Columns;
use row::Ids;

/// Rows of one insert.
const BLOCK_ROWS: u32 = 20_000;
/// How often an insert is tried, with a pause that doubles from half a second: about a minute in all.
const TRIES: u32 = 8;
const RETRY_FIRST: Duration = Duration::from_millis(500);

/// Why an import stopped. What was inserted before stays; the same import again goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("cannot read the file after row {rows}")]
    Read {
        /// Rows read before.
        rows: u64,
        /// What the system, or the decompression, said.
        #[source]
        source: io::Error,
    },
    /// The file has no line that names its columns.
    #[error("the file has no header line")]
    NoHeader,
    /// The map names a column that is not there.
    #[error("the map takes {what} from the column {column:?}, but the file has only {found:?}")]
    ColumnMissing {
        /// What the column was to give.
        what: String,
        /// Its name in the map.
        column: String,
        /// The file's own columns.
        found: Vec<String>,
    },
    /// ClickHouse did not take the rows.
    #[error(transparent)]
    Sink(#[from] SinkError),
}

/// Loads a CSV file, plain or gzip. `progress` is told the number of rows read, block by block.
///
/// Remembers 16 bytes and a count for every row, to tell rows that are equal apart: about 40 MB for a
/// million rows.
///
/// # Errors
/// See [`ImportError`]. Rows that are no valid event do not stop it; they are in the report.
pub async fn import_events(
    mut input: impl BufRead,
    map: &Map,
    site: &SiteName,
    server: &store::Server,
    mut progress: impl FnMut(u64),
) -> Result<Imported, ImportError> {
    let at_start = |source| ImportError::Read { rows: 0, source };
    let zipped = input.fill_buf().map_err(at_start)?.starts_with(&[0x1f, 0x8b]);
    let plain: Box<dyn Read + '_> =
        if zipped { Box::new(MultiGzDecoder::new(input)) } else { Box::new(input) };
    let mut rows = csv::ReaderBuilder::new().from_reader(plain);
    let header = rows.headers().map_err(|error| at_start(error.into()))?;
    let columns = map.find_columns(header)?;
    let now = SystemClock.now_millis();
    let mut import = Import {
        ids: Ids::new(site),
        block: PendingBlock::new(map),
        report: Imported::default(),
        times: Times::of_import(now),
        sink: ClickHouseSink::new(server),
        columns,
        map,
        site,
        now,
    };
    let mut record = csv::StringRecord::new();
    loop {
        match rows.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => import.row(&record),
            Err(error) => import.unreadable(error)?,
        }
        import.report.rows += 1;
        if import.block.frame.rows() >= BLOCK_ROWS {
            import.flush().await?;
            progress(import.report.rows);
        }
    }
    import.flush().await?;
    progress(import.report.rows);
    Ok(import.report)
}

struct Import<'a> {
    map: &'a Map,
    columns: Columns,
    site: &'a SiteName,
    ids: Ids,
    times: Times,
    now: i64,
    block: PendingBlock,
    sink: ClickHouseSink,
    report: Imported,
}

impl Import<'_> {
    /// Takes a row into the block, or into the report.
    fn row(&mut self, record: &csv::StringRecord) {
        let line = record.position().map_or(0, csv::Position::line);
        if let Err(reason) = self.event(record) {
            self.report.bad(line, reason);
        }
    }

    fn event(&mut self, record: &csv::StringRecord) -> Result<(), RowReason> {
        let sent = row::event(record, &self.columns, self.map, &mut self.ids)?;
        let properties = row::properties(record, &self.columns, self.map);
        let valid = validate::event(&sent, properties, &self.times)?;
        let visit = Visit::default();
        let event = EnrichedEvent::new(valid, &visit);
        let mut stored = event.event_row(self.site, self.now);
        row::set_fields(&mut stored, record, &self.columns);
        self.block.frame.push(Table::Events, &stored).map_err(|_| RowReason::RowMalformed)?;
        self.block.digest.update(stored.event_id.as_bytes());
        Ok(())
    }

    /// A line that is no row of the table is reported; a file that cannot be read ends the import.
    fn unreadable(&mut self, error: csv::Error) -> Result<(), ImportError> {
        let line = error.position().map_or(0, csv::Position::line);
        match error.into_kind() {
            csv::ErrorKind::Io(source) => Err(ImportError::Read { rows: self.report.rows, source }),
            _ => {
                self.report.bad(line, RowReason::RowMalformed);
                Ok(())
            }
        }
    }

    async fn flush(&mut self) -> Result<(), ImportError> {
        let pending = std::mem::replace(&mut self.block, PendingBlock::new(self.map));
        let rows = pending.frame.rows();
        if rows == 0 {
            return Ok(());
        }
        let block = pending.seal();
        let mut wait = RETRY_FIRST;
        for _ in 1..TRIES {
            match self.sink.insert(&block).await {
                Ok(()) => {
                    self.report.events += u64::from(rows);
                    return Ok(());
                }
                Err(SinkError::Retry(error)) => {
                    tracing::warn!(%error, "ClickHouse does not take a block now, trying again");
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.sink.insert(&block).await?;
        self.report.events += u64::from(rows);
        Ok(())
    }
}

/// Rows on their way into one insert.
struct PendingBlock {
    frame: Frame,
    digest: Sha256,
}

impl PendingBlock {
    /// The token knows the map and the release too: with another, the same rows say something else,
    /// and are to replace those of before.
    fn new(map: &Map) -> Self {
        let digest =
            Sha256::new().chain_update(env!("CARGO_PKG_VERSION")).chain_update(map.source());
        Self { frame: Frame::default(), digest }
    }

    fn seal(self) -> Block {
        Block::in_memory(format!("import-{}", hex::encode(self.digest.finalize())), self.frame)
    }
}
