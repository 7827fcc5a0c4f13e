//! How a block lies on disk.
//!
//! A file is eight bytes of magic and then frames: `length u32 | crc32 u32 | payload`, numbers
//! little-endian. The first frame's payload is the [`Header`] as JSON; every later frame is one
//! request's rows, `table u8 | length u32 | RowBinary`, all of them or none. The header names the
//! columns, so that a block written before an upgrade can be inserted after it.

use std::borrow::Cow;
use std::cell::Cell;
use std::ops::Range;

use clickhouse::Row;
use serde::{Deserialize, Serialize};
use store::{ColumnForm, EventRow, IdentifierRow};
use uuid::Uuid;

use super::row_binary::{self, RowError};
use super::turns::{TURN_BYTES, Turns};

const MAGIC: &[u8; 8] = b"FFSPOOL1";
const FRAME_HEAD_BYTES: usize = 8;
const LENGTH_BYTES: usize = 4;
const ROW_HEAD_BYTES: usize = 5;
/// A frame's payload is one request's rows. A body is at most 1 MiB and a row repeats at most a few
/// kilobytes of the visit for each event, so a longer one is damage and not data.
pub(crate) const FRAME_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Where a row goes. The number stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Table {
    Events = 0,
    BotEvents = 1,
    Identifiers = 2,
}

impl Table {
    pub(crate) const ALL: [Self; 3] = [Self::Events, Self::BotEvents, Self::Identifiers];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::BotEvents => "bot_events",
            Self::Identifiers => "identifiers",
        }
    }

    pub(crate) const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Events | Self::BotEvents => <EventRow>::COLUMN_NAMES,
            Self::Identifiers => IdentifierRow::COLUMN_NAMES,
        }
    }

    /// How a column's values lie in the table's rows; none of a column that this release does not know.
    pub(crate) fn form_of(self, column: &str) -> Option<ColumnForm> {
        match self {
            Self::Events | Self::BotEvents => EventRow::form_of(column),
            Self::Identifiers => IdentifierRow::form_of(column),
        }
    }

    fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|table| *table as u8 == number)
    }
}

/// What a block's file says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header<'a> {
    /// The run of a collector that made the block. A new one for each run, so that a sequence which
    /// begins anew can never look like a block of old.
    pub(crate) instance: Uuid,
    pub(crate) sequence: u64,
    #[serde(borrow)]
    events: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    identifiers: Vec<Cow<'a, str>>,
}

impl Header<'_> {
    /// The first bytes of a new block's file.
    pub(crate) fn bytes(instance: Uuid, sequence: u64) -> Vec<u8> {
        let columns = |table: Table| table.columns().iter().copied().map(Cow::Borrowed).collect();
        let header = Header {
            instance,
            sequence,
            events: columns(Table::Events),
            identifiers: columns(Table::Identifiers),
        };
        let json = serde_json::to_vec(&header).expect("a header is made of texts and numbers only");
        let mut frame = Frame::with_capacity(json.len());
        frame.bytes.extend_from_slice(&json);
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(frame.finish());
        bytes
    }
}

thread_local! {
    /// Room of a frame that is written, for the next one: it is in the processor's cache.
    static ROOM: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}
/// Bytes of room that each thread keeps, at most: a batch of 50 events fits.
const ROOM_BYTES_MAX: usize = 128 * 1024;

/// One request's rows, on their way into a block.
#[derive(Debug)]
pub(crate) struct Frame {
    bytes: Vec<u8>,
    rows: u32,
}

impl Drop for Frame {
    fn drop(&mut self) {
        if self.bytes.capacity() <= ROOM_BYTES_MAX {
            let bytes = std::mem::take(&mut self.bytes);
            // Of a thread that ends nothing is kept.
            ROOM.try_with(|room| room.set(bytes)).unwrap_or_default();
        }
    }
}

impl Default for Frame {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl Frame {
    /// An empty frame with room for rows of so many bytes.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        let mut frame = ROOM.try_with(Cell::take).unwrap_or_default();
        frame.clear();
        frame.reserve(FRAME_HEAD_BYTES + bytes);
        frame.resize(FRAME_HEAD_BYTES, 0);
        Self { bytes: frame, rows: 0 }
    }

    /// Adds a row in its final form.
    pub(crate) fn push(&mut self, table: Table, row: &impl Serialize) -> Result<(), RowError> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[table as u8, 0, 0, 0, 0]);
        if let Err(error) = row_binary::write(&mut self.bytes, row) {
            self.bytes.truncate(start);
            return Err(error);
        }
        let length = self.bytes.len() - start - ROW_HEAD_BYTES;
        put(&mut self.bytes, start + 1, length_bytes(length));
        self.rows += 1;
        Ok(())
    }

    pub(crate) const fn rows(&self) -> u32 {
        self.rows
    }

    /// A frame of any bytes, with a right checksum.
    #[cfg(any(test, feature = "fuzzing", feature = "bench"))]
    pub(crate) fn of_payload(payload: &[u8]) -> Self {
        let mut frame = Self::default();
        frame.bytes.extend_from_slice(payload);
        frame
    }

    /// The frame as it is written: with its length and checksum in front.
    pub(crate) fn finish(&mut self) -> &[u8] {
        let payload = self.bytes.get(FRAME_HEAD_BYTES..).unwrap_or_default();
        let (length, checksum) = (payload.len(), crc32fast::hash(payload));
        put(&mut self.bytes, 0, length_bytes(length));
        put(&mut self.bytes, LENGTH_BYTES, checksum.to_le_bytes());
        &self.bytes
    }
}

fn length_bytes(length: usize) -> [u8; LENGTH_BYTES] {
    let length = u32::try_from(length).expect("a frame is made from a body of a few megabytes");
    length.to_le_bytes()
}

/// Fills a place that was left for a number.
fn put(bytes: &mut [u8], at: usize, number: [u8; LENGTH_BYTES]) {
    if let Some(place) = bytes.get_mut(at..at + LENGTH_BYTES) {
        place.copy_from_slice(&number);
    }
}

/// What comes after the last whole frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// Nothing: the file is whole.
    None,
    /// A frame that was not written to its end, so it was never answered: cut it.
    Torn,
    /// Bytes that the end of a process does not explain: the disk, a power loss or somebody changed the
    /// file, and what is hurt was perhaps answered.
    Damaged,
}

/// What reading a block's bytes found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// The payloads of the whole frames, the header's first.
    payloads: Vec<Range<usize>>,
    /// Bytes up to the end of the last whole frame.
    pub(crate) intact_bytes: usize,
    pub(crate) tail: Tail,
}

impl Extent {
    /// True where at least the header is whole.
    pub(crate) fn has_header(&self) -> bool {
        !self.payloads.is_empty()
    }

    /// True where no request's rows are in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.payloads.len() < 2
    }
}

/// Finds the whole frames. Never fails and never reads past a frame whose checksum is wrong.
pub(crate) fn measure(bytes: &[u8]) -> Extent {
    let mut extent = Extent { payloads: Vec::new(), intact_bytes: 0, tail: Tail::None };
    if bytes.get(..MAGIC.len()) != Some(MAGIC) {
        extent.tail = if MAGIC.starts_with(bytes) { Tail::Torn } else { Tail::Damaged };
        return extent;
    }
    extent.intact_bytes = MAGIC.len();
    let mut turns = Turns::default();
    loop {
        let rest = bytes.get(extent.intact_bytes..).unwrap_or_default();
        match frame(rest) {
            Ok(Some(payload)) => {
                let start = extent.intact_bytes + FRAME_HEAD_BYTES;
                extent.intact_bytes = start + payload;
                extent.payloads.push(start..extent.intact_bytes);
                turns.worked(payload);
            }
            Ok(None) => return extent,
            Err(tail) => {
                extent.tail = tail;
                return extent;
            }
        }
    }
}

/// The first frame's payload length; `None` at the end.
fn frame(bytes: &[u8]) -> Result<Option<usize>, Tail> {
    if bytes.is_empty() {
        return Ok(None);
    }
    // After a power loss a file may have grown by bytes that were never written.
    if bytes.iter().take(FRAME_HEAD_BYTES).all(|byte| *byte == 0) {
        return Err(if bytes.iter().all(|byte| *byte == 0) { Tail::Torn } else { Tail::Damaged });
    }
    let Some((head, rest)) = bytes.split_first_chunk::<FRAME_HEAD_BYTES>() else {
        return Err(Tail::Torn);
    };
    let [l0, l1, l2, l3, c0, c1, c2, c3] = *head;
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    let checksum = u32::from_le_bytes([c0, c1, c2, c3]);
    if length > FRAME_BYTES_MAX {
        return Err(Tail::Damaged);
    }
    match rest.get(..length) {
        Some(payload) if crc32fast::hash(payload) == checksum => Ok(Some(length)),
        // All there, and so perhaps answered.
        Some(_) => Err(Tail::Damaged),
        // A changed length would have every later frame cut away as one that broke off.
        None if is_whole_by_another_length(rest, checksum) => Err(Tail::Damaged),
        None => Err(Tail::Torn),
    }
}

/// Whether the checksum is that of some first part of the bytes.
fn is_whole_by_another_length(bytes: &[u8], checksum: u32) -> bool {
    let mut hasher = crc32fast::Hasher::new();
    bytes.chunks(1).any(|byte| {
        hasher.update(byte);
        hasher.clone().finalize() == checksum
    })
}

/// A sealed block in memory, checked: its bytes and its token will never change.
#[derive(Debug)]
pub(crate) struct Block {
    bytes: Vec<u8>,
    /// Where the rows of each table lie in them.
    rows: [Vec<Range<usize>>; Table::ALL.len()],
    token: String,
    columns: [Vec<String>; 2],
    /// Bytes behind the last whole frame, which are not of the block.
    pub(crate) cut_bytes: usize,
    /// Whether rows that were perhaps answered are among these.
    pub(crate) is_damaged: bool,
}

/// A file that is not a block, or no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the file is damaged: {at} of {of} bytes are intact")]
pub(crate) struct Damaged {
    pub(super) at: usize,
    pub(super) of: usize,
}

impl Block {
    /// Reads a sealed block's file.
    pub(crate) fn read(bytes: Vec<u8>) -> Result<Self, Damaged> {
        let extent = measure(&bytes);
        if extent.tail != Tail::None {
            return Err(Damaged { at: extent.intact_bytes, of: bytes.len() });
        }
        Self::of(bytes, extent)
    }

    /// Reads a sealed block's file that a power loss may have torn: up to its last whole frame. The same bytes are
    /// the same block each time.
    ///
    /// A power loss may also leave an end of which some pages were written and some not, which looks as damaged as
    /// what the disk has changed. All that is whole before was perhaps answered, and does not wait for somebody to act.
    pub(crate) fn read_torn(bytes: Vec<u8>) -> Result<Self, Damaged> {
        let extent = measure(&bytes);
        if extent.tail == Tail::Damaged && extent.is_empty() {
            return Err(Damaged { at: extent.intact_bytes, of: bytes.len() });
        }
        Self::of(bytes, extent)
    }

    /// The block of the whole frames.
    fn of(mut bytes: Vec<u8>, extent: Extent) -> Result<Self, Damaged> {
        let damaged = Damaged { at: extent.intact_bytes, of: bytes.len() };
        let cut_bytes = bytes.len() - extent.intact_bytes;
        let is_damaged = extent.tail == Tail::Damaged;
        bytes.truncate(extent.intact_bytes);
        let mut payloads = extent.payloads.into_iter();
        let header = payloads.next().and_then(|range| bytes.get(range)).ok_or(damaged)?;
        let header: Header<'_> = serde_json::from_slice(header).map_err(|_| damaged)?;
        let owned = |columns: Vec<Cow<'_, str>>| columns.into_iter().map(Cow::into_owned).collect();
        let token = format!("{}-{}-{:08x}", header.instance, header.sequence, checksum(&bytes));
        let columns = [owned(header.events), owned(header.identifiers)];
        let rows = rows_of(&bytes, payloads).ok_or(damaged)?;
        Ok(Self { bytes, rows, token, columns, cut_bytes, is_damaged })
    }

    /// As they lie in its file.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The run, the sequence and the checksum: no two blocks have the same.
    pub(crate) fn name(&self) -> &str {
        &self.token
    }

    /// What makes a retry the same insert: the block and the table.
    pub(crate) fn token(&self, table: Table) -> String {
        format!("{}-{}", self.token, table.name())
    }

    /// The columns of the table's rows, in order.
    pub(crate) fn columns(&self, table: Table) -> &[String] {
        let [events, identifiers] = &self.columns;
        match table {
            Table::Events | Table::BotEvents => events,
            Table::Identifiers => identifiers,
        }
    }

    /// The table's rows in RowBinary, oldest first.
    pub(crate) fn rows(&self, table: Table) -> impl Iterator<Item = &[u8]> {
        let [events, bot_events, identifiers] = &self.rows;
        let rows = match table {
            Table::Events => events,
            Table::BotEvents => bot_events,
            Table::Identifiers => identifiers,
        };
        rows.iter().filter_map(|range| self.bytes.get(range.clone()))
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    let (mut hasher, mut turns) = (crc32fast::Hasher::new(), Turns::default());
    for bytes in bytes.chunks(TURN_BYTES) {
        hasher.update(bytes);
        turns.worked(bytes.len());
    }
    hasher.finalize()
}

/// Walks the rows of one payload; stops at what is not a row.
struct Rows<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Rows<'a> {
    type Item = (Table, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let ([table, l0, l1, l2, l3], rest) = self.rest.split_first_chunk::<ROW_HEAD_BYTES>()?;
        let (row, rest) =
            rest.split_at_checked(u32::from_le_bytes([*l0, *l1, *l2, *l3]) as usize)?;
        self.rest = rest;
        Some((Table::from_number(*table)?, row))
    }
}

/// Where each table's rows lie; nothing where a payload is not made of whole rows.
fn rows_of(
    bytes: &[u8],
    payloads: impl Iterator<Item = Range<usize>>,
) -> Option<[Vec<Range<usize>>; Table::ALL.len()]> {
    let mut found: [Vec<_>; Table::ALL.len()] = Default::default();
    let mut turns = Turns::default();
    for payload in payloads {
        let end = payload.end;
        turns.worked(payload.len());
        let mut rows = Rows { rest: bytes.get(payload)? };
        while let Some((table, row)) = rows.next() {
            let row_end = end - rows.rest.len();
            found.get_mut(table as usize)?.push(row_end - row.len()..row_end);
        }
        if !rows.rest.is_empty() {
            return None;
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests;
