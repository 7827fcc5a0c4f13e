//! How blocks lie in a file of the archive.
//!
//! A file is eight bytes of magic and then blocks as they lay in the spool, each after a head: the block's
//! length, the length and the CRC-32 of what follows it, each a `u32`, little-endian. What follows is a
//! line for each row that ClickHouse had refused: such a row is a dead letter and no longer the block's.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use crate::spool::Journal;
use crate::spool::block::{Block, Table};

pub(super) const MAGIC: &[u8; 8] = b"FFARCHV1";
const HEAD_BYTES: usize = 12;

/// A block and which rows of it became dead letters.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) block: Block,
    refused: HashSet<String>,
}

impl Entry {
    /// The table's rows that went in.
    pub(super) fn rows(&self, table: Table) -> impl Iterator<Item = &[u8]> {
        let refused =
            move |at: usize| !self.refused.is_empty() && self.refused.contains(&line(table, at));
        self.block.rows(table).enumerate().filter(move |(at, _)| !refused(*at)).map(|(_, row)| row)
    }
}

/// What was found next in a file.
#[derive(Debug)]
pub(super) enum Found {
    Entry(Box<Entry>),
    /// Bytes that are no block: changed on the disk, or cut. At the end of a file, one that is just being
    /// written.
    Damaged,
}

/// The block with its refused rows, as it is appended to a file.
pub(super) fn written(block: &Block, journal: Option<&Journal>) -> io::Result<Vec<u8>> {
    let mut lines = String::new();
    if let Some(journal) = journal {
        for table in Table::ALL {
            for at in 0..block.rows(table).count() {
                if journal.is_refused(table, &(at..at + 1)) {
                    lines.push_str(&line(table, at));
                    lines.push('\n');
                }
            }
        }
    }
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(io::Error::other);
    let mut entry = Vec::with_capacity(HEAD_BYTES + block.bytes().len() + lines.len());
    entry.extend_from_slice(&length(block.bytes())?.to_le_bytes());
    entry.extend_from_slice(&length(lines.as_bytes())?.to_le_bytes());
    entry.extend_from_slice(&crc32fast::hash(lines.as_bytes()).to_le_bytes());
    entry.extend_from_slice(block.bytes());
    entry.extend_from_slice(lines.as_bytes());
    Ok(entry)
}

fn line(table: Table, at: usize) -> String {
    format!("{} {at}", table.name())
}

/// What is in a file, in order; nothing where it is gone.
pub(super) fn read(path: &Path) -> io::Result<Entries> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Entries(None)),
        file => file?,
    };
    let left = file.metadata()?.len();
    let mut entries = Reading { file: BufReader::new(file), left };
    let magic = entries.take(MAGIC.len() as u64)?;
    if magic.is_some_and(|magic| magic == MAGIC) {
        Ok(Entries(Some(Ok(entries))))
    } else {
        Ok(Entries(Some(Err(()))))
    }
}

/// Walks a file; ends after what it cannot read past. An error is one of a file that is no archive's.
pub(super) struct Entries(Option<Result<Reading, ()>>);

struct Reading {
    file: BufReader<File>,
    left: u64,
}

impl Iterator for Entries {
    type Item = io::Result<Found>;

    fn next(&mut self) -> Option<Self::Item> {
        let Ok(mut reading) = self.0.take()? else { return Some(Ok(Found::Damaged)) };
        if reading.left == 0 {
            return None;
        }
        let found = reading.entry();
        // Else it is not known where the next one would begin.
        if let Ok(Some(_)) = &found {
            self.0 = Some(Ok(reading));
        }
        Some(found.map(|found| found.unwrap_or(Found::Damaged)))
    }
}

impl Reading {
    /// So many bytes; none where fewer are left.
    fn take(&mut self, count: u64) -> io::Result<Option<Vec<u8>>> {
        let Some(left) = self.left.checked_sub(count) else { return Ok(None) };
        let mut bytes = vec![0; usize::try_from(count).map_err(io::Error::other)?];
        self.file.read_exact(&mut bytes)?;
        self.left = left;
        Ok(Some(bytes))
    }

    /// None where the file breaks off.
    fn entry(&mut self) -> io::Result<Option<Found>> {
        let Some(head) = self.take(HEAD_BYTES as u64)? else { return Ok(None) };
        let mut numbers = head.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes));
        let mut number = || numbers.next().unwrap_or_default();
        let (length, lines, checksum) = (number(), number(), number());
        let Some(block) = self.take(length.into())? else { return Ok(None) };
        let Some(lines) = self.take(lines.into())? else { return Ok(None) };
        let lines = Some(lines).filter(|lines| crc32fast::hash(lines) == checksum);
        let lines = lines.and_then(|lines| String::from_utf8(lines).ok());
        Ok(Some(match (Block::read(block), lines) {
            (Ok(block), Some(lines)) => {
                let refused = lines.lines().map(ToOwned::to_owned).collect();
                Found::Entry(Box::new(Entry { block, refused }))
            }
            _ => Found::Damaged,
        }))
    }
}
