//! Which rows of a block ClickHouse has refused, beside the block on disk.
//!
//! A block that is refused goes in by halves, and these by halves. Which parts are tried must not
//! depend on what ClickHouse says at a later time, or after a crash a part could go in whole of which
//! a half is in already. So each refusal is written down before the halves are tried, and a part that
//! was refused once is never tried whole again.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::block::{Block, Table};

/// A file's end, beside the block of the same number.
pub(crate) const JOURNAL: &str = "split";

/// The parts of one block that were refused. Nothing is on disk while there is none.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    /// The block it is about: a number may come again in a later run.
    block: String,
    refused: HashSet<String>,
    file: Option<File>,
}

impl Journal {
    /// Reads what is known of the block. A last line that was not written to its end does not count:
    /// its halves were not tried.
    pub(crate) fn open(path: PathBuf, block: &Block) -> io::Result<Self> {
        let mut journal =
            Self { path, block: block.name().to_owned(), refused: HashSet::new(), file: None };
        let text = match fs::read_to_string(&journal.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(journal),
            Err(error) => return Err(error),
        };
        let whole = text.rfind('\n').and_then(|end| text.get(..=end)).unwrap_or_default();
        let mut lines = whole.lines();
        if lines.next() == Some(&*journal.block) {
            journal.refused = lines.map(ToOwned::to_owned).collect();
            let file = OpenOptions::new().append(true).open(&journal.path)?;
            file.set_len(whole.len() as u64)?;
            journal.file = Some(file);
        }
        Ok(journal)
    }

    /// Whether what lies there is about another block. None is left there of a number's former block: it goes with
    /// it, or at the next start.
    pub(crate) fn is_of_another(path: &Path, block: &Block) -> io::Result<bool> {
        match fs::read_to_string(path) {
            Ok(text) => {
                let whole = text.split_once('\n').map(|(first, _)| first);
                Ok(whole.is_some_and(|first| first != block.name()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn is_refused(&self, table: Table, rows: &Range<usize>) -> bool {
        !self.refused.is_empty() && self.refused.contains(&line(table, rows))
    }

    /// Notes a refusal; when this returns it is on the disk.
    pub(crate) fn refuse(&mut self, table: Table, rows: &Range<usize>) -> io::Result<()> {
        let line = line(table, rows);
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let mut file = File::create(&self.path)?;
                writeln!(file, "{}", self.block)?;
                none.insert(file)
            }
        };
        file.write_all(format!("{line}\n").as_bytes())?;
        file.sync_data()?;
        self.refused.insert(line);
        Ok(())
    }
}

fn line(table: Table, rows: &Range<usize>) -> String {
    format!("{} {} {}", table.name(), rows.start, rows.end)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;
    use uuid::Uuid;

    use super::*;
    use crate::spool::block::Header;

    fn block(sequence: u64) -> Block {
        Block::read(Header::bytes(Uuid::from_u128(1), sequence)).unwrap()
    }

    #[test]
    fn remembers_whole_lines_of_its_own_block() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("1.split");
        let mut journal = Journal::open(path.clone(), &block(1)).unwrap();
        assert!(!path.exists());
        journal.refuse(Table::Events, &(0..4)).unwrap();
        journal.refuse(Table::Events, &(2..4)).unwrap();
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        let mut journal = Journal::open(path.clone(), &block(1)).unwrap();
        assert!(journal.is_refused(Table::Events, &(0..4)));
        assert!(!journal.is_refused(Table::Identifiers, &(0..4)));
        assert!(!journal.is_refused(Table::Events, &(2..4)), "torn");
        journal.refuse(Table::Events, &(0..2)).unwrap();
        let journal = Journal::open(path.clone(), &block(1)).unwrap();
        assert!(journal.is_refused(Table::Events, &(0..2)));
        let other = Journal::open(path, &block(2)).unwrap();
        assert!(!other.is_refused(Table::Events, &(0..4)));
    }
}
