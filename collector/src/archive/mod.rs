//! Blocks that are in ClickHouse, kept for a while on wish: to put rows back that a table has lost, and to
//! judge them anew after a rule was changed.

mod config;
mod file;
mod keeper;
mod present;
mod replay;
mod sql;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use jiff::Timestamp;
use serde::Serialize;
use store::EventRow;

pub(crate) use config::ArchiveConfig;
use file::{Entry, Found};
pub(crate) use keeper::{Keeper, Limits};
pub use replay::{ArchiveError, Replay, Replayed};

use crate::spool::block::Table;
use crate::spool::row_reader;

/// The folder's name in the data folder: beside the spool, whose bytes it does not count among.
const FOLDER: &str = "archive";
/// A file's end.
const ARCHIVED: &str = "archive";

/// The archive of one collector, to be read.
#[derive(Clone, Debug)]
pub struct Archive {
    dir: PathBuf,
}

/// One file of the archive: some blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Archived {
    /// Its name.
    pub file: String,
    /// Blocks in it.
    pub blocks: u64,
    /// Blocks whose bytes are damaged; nothing of them is replayed.
    pub damaged: u64,
    /// When the first of its events happened; none where there is no event this release can read.
    pub from: Option<Timestamp>,
    /// When the last did.
    pub to: Option<Timestamp>,
    /// Events, bots' included, by site.
    pub sites: BTreeMap<String, u64>,
    /// Rows of all tables.
    pub rows: u64,
    /// Of the file.
    pub bytes: u64,
}

impl Archive {
    /// The archive of the collector with this data folder.
    #[must_use]
    pub fn of(data_dir: &Path) -> Self {
        Self { dir: data_dir.join(FOLDER) }
    }

    /// What is in each file, the oldest first.
    ///
    /// # Errors
    /// When the folder or a file in it cannot be read.
    pub fn list(&self) -> io::Result<Vec<Archived>> {
        let mut list = Vec::new();
        for (path, bytes) in files(&self.dir)? {
            let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let mut archived = Archived { file, bytes, ..Archived::default() };
            for found in file::read(&path)? {
                match found? {
                    Found::Entry(entry) => archived.count(&entry),
                    Found::Damaged => archived.damaged += 1,
                }
            }
            list.push(archived);
        }
        Ok(list)
    }

    /// How many bytes there are.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn bytes(&self) -> io::Result<u64> {
        Ok(files(&self.dir)?.iter().map(|(_, bytes)| bytes).sum())
    }
}

impl Archived {
    fn count(&mut self, entry: &Entry) {
        self.blocks += 1;
        for table in Table::ALL {
            self.rows += entry.block.rows(table).count() as u64;
        }
        for table in [Table::Events, Table::BotEvents] {
            for row in events(entry, table).flatten() {
                let at = Timestamp::from_millisecond(row.occurred_at).unwrap_or_default();
                self.from = Some(self.from.map_or(at, |from| from.min(at)));
                self.to = Some(self.to.map_or(at, |to| to.max(at)));
                *self.sites.entry(row.site).or_default() += 1;
            }
        }
    }
}

/// The files with their bytes, the oldest first: their names begin with when they were begun. None where
/// there is no folder.
fn files(dir: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        if path.extension().is_some_and(|suffix| suffix == ARCHIVED) {
            match entry.metadata() {
                // The collector has made room meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                meta => files.push((path, meta?.len())),
            }
        }
    }
    files.sort();
    Ok(files)
}

/// A table's events that went in with the block; none for each that cannot be read, because a later
/// release wrote it.
fn events(entry: &Entry, table: Table) -> impl Iterator<Item = Option<EventRow>> {
    let columns = entry.block.columns(table);
    let ours = columns == table.columns();
    entry.rows(table).map(move |row| {
        let read =
            if ours { row_reader::read(row) } else { row_reader::read_columns(columns, row) };
        read.ok()
    })
}

#[cfg(test)]
mod tests;
