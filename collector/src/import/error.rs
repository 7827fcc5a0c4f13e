//! Why a whole file is not imported, or not to its end.

use std::io;

use store::ServerError;
use wire::SiteName;

use super::report::Imported;

/// Why an import stopped. What was stored before stays, and importing the file again adds only the rest.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The sites cannot be read.
    #[error("cannot tell whether the site exists")]
    Sites(#[source] ServerError),
    /// The list of suppressed persons cannot be read.
    #[error("cannot read who is suppressed")]
    Suppressed(#[source] ServerError),
    /// A site that was never made.
    #[error("there is no site {site}; make it with `footfall site add {site} --origin URL`")]
    SiteUnknown {
        /// The name that was given.
        site: SiteName,
    },
    /// No header row.
    #[error("the file is empty; its first row must name the columns")]
    Empty,
    /// The header does not name what the map asks for.
    #[error(
        "the map asks for the column {column:?}, which the file does not have; its columns are: {columns}"
    )]
    ColumnMissing {
        /// By the map.
        column: String,
        /// By the file's header, joined.
        columns: String,
    },
    /// The header names a column of the map more than once.
    #[error("the file has two columns named {column:?}; rename one of them")]
    ColumnTwice {
        /// The name.
        column: String,
    },
    /// A row without an end: a quote that is not closed, or no CSV at all.
    #[error(
        "the row at line {line} is longer than {bytes_max} bytes; is a quote not closed there, or is this no CSV file?"
    )]
    RowTooLong {
        /// Where the row begins.
        line: u64,
        /// The longest row that is read.
        bytes_max: u64,
    },
    /// The file broke off.
    #[error(
        "cannot read the file after line {line}; import it again when it is whole, nothing is stored twice"
    )]
    Read {
        /// The last line that was read.
        line: u64,
        /// What the system or the decompression said.
        #[source]
        source: io::Error,
    },
    /// ClickHouse did not take a block.
    #[error(
        "the events before line {line} were not all stored; import the same file again when ClickHouse takes them, nothing is stored twice"
    )]
    Store {
        /// The last line of the block.
        line: u64,
        /// What ClickHouse said.
        #[source]
        source: ServerError,
    },
    /// Not one event in the file.
    #[error("no row of the file is an event; see whether the map fits the file\n{0}")]
    EveryRowBad(Box<Imported>),
}
