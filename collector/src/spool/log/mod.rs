//! The spool itself: one folder, one file per block, appended to before every 202.
//!
//! An append is one `write` under a lock, in the request's own task: a few microseconds into the
//! page cache, less than handing it to a writer and waiting to be woken would cost. With
//! [`Durability::Disk`] the requests then wait together for one fsync.

mod aside;
mod probe;

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use uuid::Uuid;

use super::block::{Block, Damaged, Frame, Header};
use super::journal::{JOURNAL, Journal};
use super::{Durability, Limits, replay, turns};
use crate::error::StartError;
use crate::metrics::SpoolSeconds;

/// An append that did not happen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppendError {
    #[error("the spool is full")]
    Full,
    #[error("cannot write to the spool")]
    Io(#[source] io::Error),
}

/// A block that waits to be inserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SealedBlock {
    pub(crate) sequence: u64,
    /// How much of the file counts. More is in it only where a failed write could not be cut off.
    pub(crate) bytes: u64,
    pub(crate) suffix: &'static str,
    /// Of the last run, and sealed by it: a power loss may have come before the disk had its end.
    pub(crate) may_be_torn: bool,
}

pub(crate) const OPEN: &str = "open";
pub(crate) const SEALED: &str = "block";
pub(crate) const DAMAGED: &str = "damaged";
pub(crate) const PROBE: &str = "probe";

/// Where a file of the spool lies. The number is padded, so that names sort as blocks do.
pub(crate) fn file_path(dir: &Path, sequence: u64, suffix: &str) -> PathBuf {
    dir.join(format!("{sequence:016}.{suffix}"))
}

/// The folder, locked: no other collector writes here while this lives.
#[derive(Debug)]
pub(crate) struct Spool {
    dir: PathBuf,
    limits: Limits,
    durability: Durability,
    instance: Uuid,
    state: Mutex<State>,
    /// Woken when a block was sealed.
    sealed: Notify,
    sync_wanted: Notify,
    synced_upto: watch::Sender<Synced>,
    seconds: SpoolSeconds,
    /// Held, not read: the system frees the lock when it is dropped, or the process dies.
    _lock: File,
}

#[derive(Debug)]
struct State {
    open: Option<OpenBlock>,
    waiting: VecDeque<SealedBlock>,
    sequence_next: u64,
    /// Bytes of all files in the folder.
    bytes: u64,
    /// Bytes appended since the start; the position of an append.
    appended: u64,
    /// Sealed, but not yet synced, while requests wait for them.
    unsynced: Vec<Arc<File>>,
}

#[derive(Debug)]
struct OpenBlock {
    file: Arc<File>,
    sequence: u64,
    bytes: u64,
    rows: u64,
    opened_at: Instant,
}

#[derive(Clone, Copy, Debug, Default)]
struct Synced {
    upto: u64,
    failed: u64,
}

impl Spool {
    /// Locks the folder, mends what the last run left, and queues it before anything new.
    pub(crate) fn open(
        dir: &Path,
        limits: Limits,
        durability: Durability,
    ) -> Result<(Self, replay::Found), StartError> {
        let failed = |source| StartError::Spool { path: dir.to_owned(), source };
        fs::create_dir_all(dir).map_err(failed)?;
        let lock =
            OpenOptions::new().create(true).append(true).open(dir.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StartError::SpoolInUse { path: dir.to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let found = replay::mend(dir)?;
        let state = State {
            open: None,
            sequence_next: found.sequence_next,
            bytes: found.bytes,
            waiting: found.waiting.iter().copied().collect(),
            appended: 0,
            unsynced: Vec::new(),
        };
        let spool = Self {
            dir: dir.to_owned(),
            limits,
            durability,
            instance: Uuid::now_v7(),
            state: Mutex::new(state),
            sealed: Notify::new(),
            sync_wanted: Notify::new(),
            synced_upto: watch::Sender::default(),
            seconds: SpoolSeconds::default(),
            _lock: lock,
        };
        Ok((spool, found))
    }

    /// Measures into these from now on.
    pub(crate) fn timed_by(mut self, seconds: SpoolSeconds) -> Self {
        self.seconds = seconds;
        self
    }

    /// Appends one request's rows. When this returns, they survive the end of the process, and with
    /// [`Durability::Disk`] the end of the machine.
    #[cfg(test)]
    pub(crate) async fn append(&self, mut frame: Frame) -> Result<(), AppendError> {
        match self.write(&mut frame)? {
            None => Ok(()),
            Some(position) => self.synced(position).await,
        }
    }

    /// Writes one request's rows: they survive the end of the process. Gives up to where the disk must have
    /// the spool before they are answered, where [`Durability::Disk`] is wanted.
    pub(crate) fn write(&self, frame: &mut Frame) -> Result<Option<u64>, AppendError> {
        let began = Instant::now();
        let position = self.write_frame(frame)?;
        self.seconds.append.observe_time(began.elapsed());
        Ok(self.waits_for_the_disk().then_some(position))
    }

    fn write_frame(&self, frame: &mut Frame) -> Result<u64, AppendError> {
        let rows = u64::from(frame.rows());
        let bytes = frame.finish();
        let length = bytes.len() as u64;
        let mut state = self.state();
        if state.bytes.saturating_add(length) > self.limits.bytes_max {
            return Err(AppendError::Full);
        }
        if state.open.is_none() {
            let open = self.create_block(&mut state).map_err(AppendError::Io)?;
            state.open = Some(open);
        }
        let Some(open) = state.open.as_mut() else {
            return Err(AppendError::Io(io::Error::other("a block that was just made is open")));
        };
        if let Err(error) = (&*open.file).write_all(bytes) {
            self.abandon_write(&mut state);
            return Err(AppendError::Io(error));
        }
        open.bytes += length;
        open.rows += rows;
        let full =
            open.rows >= self.limits.block_rows_max || open.bytes >= self.limits.block_bytes_max;
        state.bytes += length;
        state.appended += length;
        let position = state.appended;
        if full {
            self.seal_open(&mut state);
        }
        Ok(position)
    }

    fn create_block(&self, state: &mut State) -> io::Result<OpenBlock> {
        let sequence = state.sequence_next;
        let path = file_path(&self.dir, sequence, OPEN);
        let header = Header::bytes(self.instance, sequence);
        let mut file = OpenOptions::new().create_new(true).append(true).open(&path)?;
        let written = file.write_all(&header).and_then(|()| match self.durability {
            Durability::Process => Ok(()),
            Durability::Disk => File::open(&self.dir)?.sync_all(),
        });
        if let Err(error) = written {
            // Nothing answered is in it. A file that stays would block its number for the next try.
            fs::remove_file(&path)?;
            return Err(error);
        }
        state.sequence_next += 1;
        state.bytes += header.len() as u64;
        Ok(OpenBlock {
            file: Arc::new(file),
            sequence,
            bytes: header.len() as u64,
            rows: 0,
            opened_at: Instant::now(),
        })
    }

    /// After a write that broke off: cuts its beginning away, or else ends the block before it.
    fn abandon_write(&self, state: &mut State) {
        let Some(open) = state.open.take() else { return };
        if open.file.set_len(open.bytes).is_ok() {
            state.open = Some(open);
        } else {
            // Keeps its name, so that the next start would cut it.
            state.waiting.push_back(SealedBlock {
                sequence: open.sequence,
                bytes: open.bytes,
                suffix: OPEN,
                may_be_torn: false,
            });
            // Of what is whole in it some is not answered yet.
            if self.durability == Durability::Disk {
                state.unsynced.push(open.file);
            }
            self.sealed.notify_one();
        }
    }

    fn seal_open(&self, state: &mut State) {
        let Some(open) = state.open.take() else { return };
        let rename = |suffix| file_path(&self.dir, open.sequence, suffix);
        let suffix = match fs::rename(rename(OPEN), rename(SEALED)) {
            Ok(()) => SEALED,
            // Sealed all the same: the name only tells the next start that nothing can be torn.
            Err(_) => OPEN,
        };
        state.waiting.push_back(SealedBlock {
            sequence: open.sequence,
            bytes: open.bytes,
            suffix,
            may_be_torn: false,
        });
        if self.durability == Durability::Disk {
            state.unsynced.push(open.file);
        }
        self.sealed.notify_one();
    }

    /// Seals the open block if it is old enough. While blocks are waiting already, a new one would
    /// only wait too: then it grows to its full size instead.
    pub(crate) fn seal_by_age(&self) {
        let mut state = self.state();
        let old = |open: &OpenBlock| {
            open.rows > 0 && open.opened_at.elapsed() >= self.limits.block_age_max
        };
        if state.waiting.len() < 2 && state.open.as_ref().is_some_and(old) {
            self.seal_open(&mut state);
        }
    }

    /// Seals the open block, however young.
    pub(crate) fn seal(&self) {
        let mut state = self.state();
        if state.open.as_ref().is_some_and(|open| open.rows > 0) {
            self.seal_open(&mut state);
        }
    }

    /// The block to insert next.
    pub(crate) fn oldest(&self) -> Option<SealedBlock> {
        self.state().waiting.front().copied()
    }

    /// The block to insert after that one.
    pub(crate) fn after(&self, sealed: SealedBlock) -> Option<SealedBlock> {
        let state = self.state();
        state.waiting.iter().find(|waiting| waiting.sequence > sealed.sequence).copied()
    }

    /// Returns when a block was sealed since the last call.
    pub(crate) async fn wait_for_seal(&self) {
        self.sealed.notified().await;
    }

    /// Reads a sealed block, and makes sure first that the disk has what is read: were the file
    /// shorter after a power loss, its token would be another and its rows inserted twice.
    ///
    /// So a file that is torn after all was never tried, and what is whole of it is a block like any other. It is
    /// found here and not at the start, which would have to read all that waits before the first event is taken.
    pub(crate) fn read(&self, sealed: SealedBlock) -> io::Result<Result<Block, Damaged>> {
        let file = self.on_disk(sealed)?;
        let bytes = turns::read(file.take(sealed.bytes))?;
        let sealed_bytes = usize::try_from(sealed.bytes).unwrap_or(usize::MAX);
        if bytes.len() < sealed_bytes {
            // Cut at a frame's end it would still look whole.
            return Ok(Err(Damaged { at: bytes.len(), of: sealed_bytes }));
        }
        if !sealed.may_be_torn {
            return Ok(Block::read(bytes));
        }
        let read = Block::read_torn(bytes);
        let Some(block) = read.as_ref().ok().filter(|block| block.cut_bytes > 0) else {
            return Ok(read);
        };
        // No power loss does that: parts of it were tried while it was longer.
        let journal = file_path(&self.dir, sealed.sequence, JOURNAL);
        if Journal::is_of_another(&journal, block)? {
            return Ok(Err(Damaged { at: block.bytes().len(), of: sealed_bytes }));
        }
        Ok(read)
    }

    /// A sealed block's file, its bytes on the disk.
    pub(crate) fn on_disk(&self, sealed: SealedBlock) -> io::Result<File> {
        let file = File::open(file_path(&self.dir, sealed.sequence, sealed.suffix))?;
        file.sync_all()?;
        Ok(file)
    }

    /// Which of the block's rows were refused so far. It lies beside the block's file, whose number need not be the
    /// one in the block: somebody may have put it back.
    pub(crate) fn journal(&self, sealed: SealedBlock, block: &Block) -> io::Result<Journal> {
        Journal::open(file_path(&self.dir, sealed.sequence, JOURNAL), block)
    }

    /// Takes a block out of the folder: its rows are in ClickHouse, or dead letters.
    pub(crate) fn remove(&self, sealed: SealedBlock) -> io::Result<()> {
        fs::remove_file(file_path(&self.dir, sealed.sequence, sealed.suffix))?;
        // Only now: without it, the block would be tried whole again.
        match fs::remove_file(file_path(&self.dir, sealed.sequence, JOURNAL)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "a journal without its block stays until the next start");
            }
            _ => {}
        }
        let mut state = self.state();
        state.waiting.retain(|waiting| waiting.sequence != sealed.sequence);
        state.bytes = state.bytes.saturating_sub(sealed.bytes);
        Ok(())
    }

    /// Leaves out a block whose file is gone. Somebody took it; it cannot be inserted.
    pub(crate) fn forget(&self, sealed: SealedBlock) {
        let mut state = self.state();
        state.waiting.retain(|waiting| waiting.sequence != sealed.sequence);
        state.bytes = state.bytes.saturating_sub(sealed.bytes);
    }

    /// Bytes in the folder, and how many there may be.
    pub(crate) fn fill(&self) -> (u64, u64) {
        (self.state().bytes, self.limits.bytes_max)
    }

    /// How many blocks wait to be inserted.
    pub(crate) fn blocks_waiting(&self) -> usize {
        self.state().waiting.len()
    }

    /// How long the oldest event has waited, by when its file was made; of a file that the last run
    /// left and that was copied since, by when it was last written. Nought where none waits.
    pub(crate) fn waiting_since(&self) -> Duration {
        let oldest = {
            let state = self.state();
            let waiting = state.waiting.front().map(|sealed| (sealed.sequence, sealed.suffix));
            let open = state.open.as_ref().filter(|open| open.rows > 0);
            waiting.or_else(|| open.map(|open| (open.sequence, OPEN)))
        };
        let Some((sequence, suffix)) = oldest else { return Duration::ZERO };
        let Ok(file) = fs::metadata(file_path(&self.dir, sequence, suffix)) else {
            // Sealed or inserted since.
            return Duration::ZERO;
        };
        let made = file.created().into_iter().chain(file.modified()).min();
        made.and_then(|made| made.elapsed().ok()).unwrap_or_default()
    }

    /// Whether what is written is only answered when the disk has it.
    pub(crate) fn waits_for_the_disk(&self) -> bool {
        self.durability == Durability::Disk
    }

    /// Returns when the disk has all that was written up to this position.
    pub(crate) async fn synced(&self, position: u64) -> Result<(), AppendError> {
        self.sync_wanted.notify_one();
        let mut synced = self.synced_upto.subscribe();
        let failed = || AppendError::Io(io::Error::other("the disk did not take the rows"));
        let reached =
            synced.wait_for(|synced| synced.upto >= position).await.map_err(|_| failed())?;
        if reached.failed >= position { Err(failed()) } else { Ok(()) }
    }

    /// Syncs whatever was appended whenever a request waits for it; requests that come meanwhile
    /// share the next sync. Runs as long as the collector.
    pub(crate) async fn sync_on_demand(&self) {
        loop {
            self.sync_wanted.notified().await;
            let (files, mut upto) = {
                let mut state = self.state();
                let mut files = std::mem::take(&mut state.unsynced);
                files.extend(state.open.as_ref().map(|open| Arc::clone(&open.file)));
                (files, state.appended)
            };
            let sync = move || files.iter().try_for_each(|file| file.sync_data());
            let began = Instant::now();
            let failed = !matches!(tokio::task::spawn_blocking(sync).await, Ok(Ok(())));
            self.seconds.sync.observe_time(began.elapsed());
            if failed {
                upto = self.give_up_waiting();
            }
            self.synced_upto.send_modify(|synced| {
                synced.upto = upto;
                if failed {
                    synced.failed = upto;
                }
            });
        }
    }

    /// After a sync that failed: nothing written so far is answered, nor followed by anything in its file. The
    /// system may have let go of what it could not write, and say of the next sync that all is well; what
    /// lies behind such a hole cannot be read after a power loss.
    fn give_up_waiting(&self) -> u64 {
        let mut state = self.state();
        self.seal_open(&mut state);
        state.unsynced.clear();
        state.appended
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whoever panicked left at worst a block unsealed; the file is whole up to its last append.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
