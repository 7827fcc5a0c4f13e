//! Rows that ClickHouse refuses, and on wish events that were left out: one readable file each, until
//! somebody mends and replays them.

mod left_out;
mod letter;
mod replay;
mod unwanted;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

pub(crate) use left_out::{LeftOut, LeftOutOf, Letters};
pub use letter::{Letter, RowError};
pub use replay::{ReplayError, Replayer};
pub(crate) use unwanted::Unwanted;

/// The folder's name under the spool.
pub(crate) const DEAD: &str = "dead";
/// The folder's name under that: events that were left out, bounded by themselves.
const LEFT_OUT: &str = "left-out";
/// How long an event that was left out is kept: by then the collector would take it no more.
const LEFT_OUT_AGE_MAX: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// A letter's file's end; one that is still written has another.
const LETTER: &str = "json";

/// The dead letters of one collector, bounded by bytes.
#[derive(Debug)]
pub struct DeadLetters {
    dir: PathBuf,
    bytes_max: u64,
    letters: AtomicU64,
    bytes: AtomicU64,
    /// How many bytes there were when a letter had no room.
    refused_at: AtomicU64,
}

/// A letter was not kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeepError {
    #[error("there is no room for more dead letters")]
    Full,
    #[error("cannot write a dead letter")]
    Io(#[from] io::Error),
}

/// What the folder holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Fill {
    pub(crate) has_room: bool,
    pub(crate) letters: u64,
    pub(crate) bytes: u64,
    pub(crate) bytes_max: u64,
}

impl DeadLetters {
    /// The dead letters of the collector with this data folder.
    #[must_use]
    pub fn of(data_dir: &Path) -> Self {
        Self::bounded(data_dir, u64::MAX)
    }

    pub(crate) fn bounded(data_dir: &Path, bytes_max: u64) -> Self {
        Self::at(data_dir.join("spool").join(DEAD), bytes_max)
    }

    /// The events that the collector with this data folder has left out and kept.
    #[must_use]
    pub fn left_out_of(data_dir: &Path) -> Self {
        Self::left_out_bounded(data_dir, u64::MAX)
    }

    pub(crate) fn left_out_bounded(data_dir: &Path, bytes_max: u64) -> Self {
        Self::at(data_dir.join("spool").join(DEAD).join(LEFT_OUT), bytes_max)
    }

    fn at(dir: PathBuf, bytes_max: u64) -> Self {
        Self {
            dir,
            bytes_max,
            letters: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            refused_at: AtomicU64::new(u64::MAX),
        }
    }

    /// Every letter, oldest first. A file that cannot be read is left out with a warning.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn list(&self) -> io::Result<Vec<Letter>> {
        let mut letters = Vec::new();
        for path in self.paths()? {
            match read(&path) {
                Ok(letter) => letters.push(letter),
                // Replayed meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    tracing::warn!(file = %path.display(), %error, "cannot read a dead letter");
                }
            }
        }
        letters.sort_by(|a, b| (a.refused_at, &a.id).cmp(&(b.refused_at, &b.id)));
        Ok(letters)
    }

    /// The letter with this id.
    ///
    /// # Errors
    /// When there is none, or its file cannot be read.
    pub fn find(&self, id: &str) -> io::Result<Letter> {
        read(&self.path(id)?)
    }

    /// Takes a letter away, for its row is in ClickHouse; that it is gone already is well.
    pub(crate) fn remove(&self, id: &str) -> io::Result<()> {
        match fs::remove_file(self.path(id)?) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Keeps a letter; when this returns it is on the disk. The same letter again is the same file.
    pub(crate) fn keep(&self, letter: &Letter) -> Result<(), KeepError> {
        let path = self.path(&letter.id)?;
        if path.exists() {
            return Ok(());
        }
        let json = serde_json::to_vec_pretty(letter).map_err(io::Error::from)?;
        let length = json.len() as u64;
        let bytes = self.bytes.load(Ordering::Relaxed);
        if bytes.saturating_add(length) > self.bytes_max {
            self.refused_at.store(bytes, Ordering::Relaxed);
            return Err(KeepError::Full);
        }
        fs::create_dir_all(&self.dir)?;
        let new = path.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(&json)?;
        file.sync_all()?;
        fs::rename(new, path)?;
        File::open(&self.dir)?.sync_all()?;
        self.letters.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(length, Ordering::Relaxed);
        Ok(())
    }

    /// Counts anew: letters are replayed by another process.
    pub(crate) fn measure(&self) -> io::Result<()> {
        let (mut letters, mut bytes) = (0, 0);
        for path in self.paths()? {
            if let Ok(meta) = fs::metadata(&path) {
                letters += 1;
                bytes += meta.len();
            }
        }
        self.letters.store(letters, Ordering::Relaxed);
        self.bytes.store(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// Takes away the letters of left out events that are too old to be replayed.
    pub(crate) fn forget_old(&self, now: SystemTime) -> io::Result<()> {
        for path in self.paths()? {
            let written = fs::metadata(&path).and_then(|meta| meta.modified());
            let age = written.map(|written| now.duration_since(written).unwrap_or_default());
            if age.is_ok_and(|age| age > LEFT_OUT_AGE_MAX) {
                match fs::remove_file(&path) {
                    // Replayed meanwhile.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    removed => removed?,
                }
            }
        }
        Ok(())
    }

    /// As last measured. There is no room where a letter was refused and none was replayed since.
    pub(crate) fn fill(&self) -> Fill {
        let (bytes, bytes_max) = (self.bytes.load(Ordering::Relaxed), self.bytes_max);
        let has_room = bytes < self.refused_at.load(Ordering::Relaxed);
        Fill { has_room, letters: self.letters.load(Ordering::Relaxed), bytes, bytes_max }
    }

    fn paths(&self) -> io::Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|suffix| suffix == LETTER) {
                paths.push(path);
            }
        }
        Ok(paths)
    }

    /// An id comes from a command line too, and must not lead out of the folder.
    fn path(&self, id: &str) -> io::Result<PathBuf> {
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not the id of a dead letter"));
        }
        Ok(self.dir.join(format!("{id}.{LETTER}")))
    }
}

fn read(path: &Path) -> io::Result<Letter> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::spool::block::Table;

    fn letter(token: &str) -> Letter {
        Letter::new(token, Table::Events, &["site".to_owned()], b"\x04shop", "no", 1_000)
    }

    #[test]
    fn keeps_once_lists_and_removes() {
        let dir = TempDir::new().unwrap();
        let dead = DeadLetters::bounded(dir.path(), 10_000);
        assert!(dead.list().unwrap().is_empty());
        let kept = letter("a");
        dead.keep(&kept).unwrap();
        dead.keep(&kept).unwrap();
        dead.keep(&letter("b")).unwrap();
        assert_eq!(dead.fill().letters, 2);
        assert_eq!(dead.list().unwrap().len(), 2);
        assert_eq!(dead.find(&kept.id).unwrap().site, "shop");
        dead.remove(&kept.id).unwrap();
        dead.remove(&kept.id).unwrap();
        dead.measure().unwrap();
        assert_eq!(dead.fill().letters, 1);
        assert!(dead.find("../../sites").is_err());
    }

    #[test]
    fn what_is_too_old_is_forgotten() {
        let dir = TempDir::new().unwrap();
        let dead = DeadLetters::left_out_bounded(dir.path(), 10_000);
        dead.keep(&letter("a")).unwrap();
        let now = SystemTime::now();
        dead.forget_old(now).unwrap();
        assert_eq!(dead.list().unwrap().len(), 1);
        dead.forget_old(now + LEFT_OUT_AGE_MAX + Duration::from_secs(60)).unwrap();
        assert!(dead.list().unwrap().is_empty());
    }

    #[test]
    fn what_has_no_room_is_refused() {
        let dir = TempDir::new().unwrap();
        let dead = DeadLetters::bounded(dir.path(), 400);
        dead.keep(&letter("a")).unwrap();
        assert!(matches!(dead.keep(&letter("b")), Err(KeepError::Full)));
        assert!(!dead.fill().has_room);
        assert_eq!(dead.list().unwrap().len(), 1);
    }
}
