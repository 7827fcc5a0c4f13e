//! A CSV file as rows of texts: plain or gzip, and never more of it in memory than one row.

use std::io::{self, BufRead, Chain, Cursor, Read};
use std::mem;

use csv::{ByteRecord, Reader, ReaderBuilder, StringRecord};
use flate2::bufread::MultiGzDecoder;

use super::ImportError;

/// Bytes of one row. Far more than an event's texts have; a quote that is never closed must not take
/// the whole file into memory.
pub(super) const ROW_BYTES_MAX: u64 = 1024 * 1024;

/// The first bytes of every gzip file (RFC 1952, 2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The file, its header read.
pub(super) struct Table<R: BufRead> {
    reader: Reader<Bounded<Input<R>>>,
    header: StringRecord,
    record: ByteRecord,
    line: u64,
}

/// One row.
pub(super) struct Record {
    /// The texts, as many as the header has.
    pub(super) fields: Result<StringRecord, Malformed>,
    /// Bytes of all texts.
    pub(super) bytes: usize,
    /// Where the row begins, from 1; blank lines before it count as its own.
    pub(super) line: u64,
}

/// A row that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    NotUtf8,
    FieldCount { found: usize, expected: usize },
}

impl<R: BufRead> Table<R> {
    pub(super) fn open(input: R) -> Result<Self, ImportError> {
        let input = Input::open(input).map_err(|source| ImportError::Read { line: 0, source })?;
        let bounded = Bounded { input, left: ROW_BYTES_MAX };
        let mut table = Self {
            reader: ReaderBuilder::new().flexible(true).has_headers(false).from_reader(bounded),
            header: StringRecord::new(),
            record: ByteRecord::new(),
            line: 0,
        };
        if !table.read()? {
            return Err(ImportError::Empty);
        }
        // A column whose name is not UTF-8 can be no column of the map, which is TOML.
        let names = table.record.iter().map(|name| String::from_utf8_lossy(name));
        table.header = names.map(|name| name.trim().to_owned()).collect();
        Ok(table)
    }

    /// The columns' names.
    pub(super) fn header(&self) -> &StringRecord {
        &self.header
    }

    /// Where the row read last begins.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The next row; blank lines are none.
    pub(super) fn next(&mut self) -> Result<Option<Record>, ImportError> {
        if !self.read()? {
            return Ok(None);
        }
        let (found, expected) = (self.record.len(), self.header.len());
        let bytes = self.record.as_slice().len();
        let fields = if found == expected {
            let record = mem::take(&mut self.record);
            StringRecord::from_byte_record(record).map_err(|_| Malformed::NotUtf8)
        } else {
            Err(Malformed::FieldCount { found, expected })
        };
        Ok(Some(Record { fields, bytes, line: self.line }))
    }

    fn read(&mut self) -> Result<bool, ImportError> {
        self.reader.get_mut().left = ROW_BYTES_MAX;
        match self.reader.read_byte_record(&mut self.record) {
            Ok(more) => {
                self.line = self.record.position().map_or(self.line, csv::Position::line);
                Ok(more)
            }
            Err(_) if self.reader.get_ref().left == 0 => {
                Err(ImportError::RowTooLong { line: self.line + 1, bytes_max: ROW_BYTES_MAX })
            }
            Err(error) => Err(ImportError::Read { line: self.line, source: error.into() }),
        }
    }
}

/// The file, decompressed where it is compressed.
enum Input<R: BufRead> {
    Plain(Whole<R>),
    Gzip(Box<MultiGzDecoder<Whole<R>>>),
}

/// The bytes that were looked at, and those behind them.
type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

impl<R: BufRead> Input<R> {
    /// Tells gzip by its first bytes: a file's name says nothing certain.
    fn open(mut input: R) -> io::Result<Self> {
        let mut first = Vec::new();
        input.by_ref().take(GZIP_MAGIC.len() as u64).read_to_end(&mut first)?;
        let is_gzip = first == GZIP_MAGIC;
        let whole = Cursor::new(first).chain(input);
        Ok(if is_gzip {
            Self::Gzip(Box::new(MultiGzDecoder::new(whole)))
        } else {
            Self::Plain(whole)
        })
    }
}

impl<R: BufRead> Read for Input<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(input) => input.read(bytes),
            Self::Gzip(input) => input.read(bytes),
        }
    }
}

/// Fails once so many bytes are read: whoever reads allows more for every row.
struct Bounded<R> {
    input: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other("the row is too long"));
        }
        let read = self.input.read(bytes)?;
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}
