//! The collector's end of the archive: it appends what is in ClickHouse, and makes room.
//!
//! A block that cannot be kept is not: the archive is a wish, and must not hold up what is to be inserted.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use uuid::Uuid;

use super::file::{MAGIC, written};
use super::{ARCHIVED, FOLDER, files};
use crate::metrics::ArchiveCounts;
use crate::spool::Journal;
use crate::spool::block::Block;

/// Bytes of a file after which another is begun, and of how many parts of the whole one is at most: room
/// is made by whole files.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
const FILES_MIN: u64 = 16;
/// How long a file is appended to: it is as old as its last block.
const FILE_AGE_MAX: Duration = Duration::from_secs(60 * 60);

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Nought keeps nothing new.
    pub(crate) bytes_max: u64,
    /// None where only the bytes bound it.
    pub(crate) age_max: Option<Duration>,
}

/// The archive of a running collector.
#[derive(Debug)]
pub(crate) struct Keeper {
    dir: PathBuf,
    limits: Limits,
    state: Mutex<State>,
    /// Whether the last block could not be kept.
    failing: AtomicBool,
    counts: ArchiveCounts,
}

#[derive(Debug, Default)]
struct State {
    /// The oldest first; the last may be the one that is appended to.
    files: VecDeque<Kept>,
    open: Option<Open>,
}

#[derive(Debug)]
struct Kept {
    path: PathBuf,
    bytes: u64,
    /// When its last block was appended.
    written: SystemTime,
}

#[derive(Debug)]
struct Open {
    file: File,
    begun: Instant,
}

impl Keeper {
    /// Knows what the last run has kept. A folder that cannot be read is told, and begun anew.
    pub(crate) fn open(data_dir: &Path, limits: Limits) -> Self {
        let dir = data_dir.join(FOLDER);
        let kept = files(&dir).unwrap_or_else(|error| {
            tracing::error!(folder = %dir.display(), %error, "cannot read the archive, what is in it is not bounded");
            Vec::new()
        });
        let kept = kept.into_iter().map(|(path, bytes)| {
            let written = fs::metadata(&path).and_then(|meta| meta.modified());
            Kept { path, bytes, written: written.unwrap_or(SystemTime::UNIX_EPOCH) }
        });
        let state = State { files: kept.collect(), open: None };
        let counts = ArchiveCounts::default();
        Self { dir, limits, state: Mutex::new(state), failing: AtomicBool::new(false), counts }
    }

    /// Tells these from now on.
    pub(crate) fn counted_by(mut self, counts: ArchiveCounts) -> Self {
        self.counts = counts;
        self.count_bytes(&self.state());
        self
    }

    pub(crate) const fn is_wanted(&self) -> bool {
        self.limits.bytes_max > 0
    }

    /// Appends a block that is in ClickHouse. That it could not is logged once, and once when it can again.
    pub(crate) fn keep(&self, block: &Block, journal: Option<&Journal>, now: SystemTime) {
        let kept = written(block, journal).and_then(|entry| self.append(&entry, now));
        let outcome = if kept.is_ok() { &self.counts.kept } else { &self.counts.failed };
        outcome.inc();
        self.count_bytes(&self.state());
        match kept {
            Ok(()) if self.failing.swap(false, Ordering::Relaxed) => {
                tracing::info!("the archive takes blocks again");
            }
            Err(error) if !self.failing.swap(true, Ordering::Relaxed) => {
                tracing::error!(%error, "a block is in ClickHouse and not in the archive");
            }
            Ok(()) | Err(_) => {}
        }
    }

    fn append(&self, entry: &[u8], now: SystemTime) -> io::Result<()> {
        let length = entry.len() as u64 + MAGIC.len() as u64;
        if length > self.limits.bytes_max {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than the archive"));
        }
        let file_bytes_max = FILE_BYTES_MAX.min(self.limits.bytes_max / FILES_MIN);
        let mut state = self.state();
        let full = |open: &Open| open.begun.elapsed() >= FILE_AGE_MAX;
        let long = state.files.back().is_some_and(|file| file.bytes >= file_bytes_max);
        if long || state.open.as_ref().is_some_and(full) {
            state.open = None;
        }
        while state.bytes() + length > self.limits.bytes_max {
            state.remove_oldest()?;
        }
        if state.open.is_none() {
            state.begin(&self.dir, now)?;
        }
        let State { files, open: Some(open) } = &mut *state else {
            return Err(io::Error::other("a file that was just begun is open"));
        };
        let Some(kept) = files.back_mut() else {
            return Err(io::Error::other("the file that is open is known"));
        };
        if let Err(error) = open.file.write_all(entry) {
            if open.file.set_len(kept.bytes).is_err() {
                // The beginning of the block stays at its end, and nothing comes after it.
                kept.bytes = fs::metadata(&kept.path).map_or(kept.bytes, |meta| meta.len());
                state.open = None;
            }
            return Err(error);
        }
        kept.bytes += entry.len() as u64;
        kept.written = now;
        Ok(())
    }

    /// Takes away what is too old, also where nothing is kept any more.
    pub(crate) fn forget_old(&self, now: SystemTime) -> io::Result<()> {
        let Some(age_max) = self.limits.age_max else { return Ok(()) };
        let mut state = self.state();
        let old = |file: &Kept| now.duration_since(file.written).is_ok_and(|age| age > age_max);
        while state.files.front().is_some_and(old) {
            state.remove_oldest()?;
            self.count_bytes(&state);
        }
        Ok(())
    }

    fn count_bytes(&self, state: &State) {
        self.counts.bytes.set(state.bytes());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whoever panicked left at worst a file that is not appended to.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    fn begin(&mut self, dir: &Path, now: SystemTime) -> io::Result<()> {
        fs::create_dir_all(dir)?;
        let path = dir.join(format!("{}.{ARCHIVED}", Uuid::now_v7()));
        let mut file = OpenOptions::new().create_new(true).append(true).open(&path)?;
        if let Err(error) = file.write_all(MAGIC) {
            fs::remove_file(&path)?;
            return Err(error);
        }
        self.files.push_back(Kept { path, bytes: MAGIC.len() as u64, written: now });
        self.open = Some(Open { file, begun: Instant::now() });
        Ok(())
    }

    fn remove_oldest(&mut self) -> io::Result<()> {
        let Some(oldest) = self.files.front() else { return Ok(()) };
        match fs::remove_file(&oldest.path) {
            // An operator may make room too.
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.files.pop_front();
        if self.files.is_empty() {
            self.open = None;
        }
        Ok(())
    }
}
