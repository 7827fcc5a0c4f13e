//! What the last run left: torn tails of open files are cut, damaged ones kept and reported, the rest is
//! inserted before anything new. Sealed files are looked at when they are read.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::block::{Tail, measure};
use super::journal::JOURNAL;
use super::log::{DAMAGED, OPEN, PROBE, SEALED, SealedBlock, file_path};
use crate::dead_letters::DEAD;
use crate::error::StartError;

/// What was in the folder at the start.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Blocks to insert, oldest first.
    pub(crate) waiting: Vec<SealedBlock>,
    pub(crate) sequence_next: u64,
    /// Bytes of everything that stays in the folder.
    pub(crate) bytes: u64,
    /// Files whose bytes a broken write does not explain; they were kept under these names.
    pub(crate) damaged: Vec<PathBuf>,
    /// Bytes of writes that broke off and were never answered.
    pub(crate) cut_bytes: u64,
}

/// Makes every file of the folder a sealed block, or sets it aside.
pub(crate) fn mend(dir: &Path) -> Result<Found, StartError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| StartError::Spool { path, source }
    };
    let mut found = Found::default();
    let (mut files, mut journals) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(dir).map_err(failed(dir))? {
        let path = entry.map_err(failed(dir))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).and_then(block_name);
        match name {
            Some((sequence, suffix)) => files.push((sequence, suffix)),
            None if path.file_name().is_some_and(|name| name == PROBE) => {
                fs::remove_file(&path).map_err(failed(&path))?;
            }
            // Bounded by itself.
            None if path.file_name().is_some_and(|name| name == DEAD) => {}
            None if path.extension().is_some_and(|suffix| suffix == JOURNAL) => journals.push(path),
            None => found.bytes += bytes_of(&path).map_err(failed(&path))?,
        }
    }
    // Of a block that went in just before the end.
    let orphan =
        |path: &PathBuf| ![SEALED, OPEN, DAMAGED].iter().any(|of| path.with_extension(of).exists());
    for journal in journals.into_iter().filter(orphan) {
        fs::remove_file(&journal).map_err(failed(&journal))?;
    }
    files.sort_unstable();
    for (sequence, suffix) in files {
        found.sequence_next = found.sequence_next.max(sequence + 1);
        let path = file_path(dir, sequence, suffix);
        let block = match suffix {
            OPEN => close(dir, sequence, &mut found),
            _ => fs::metadata(&path).map(|meta| {
                let bytes = meta.len();
                Some(SealedBlock { sequence, bytes, suffix: SEALED, may_be_torn: true })
            }),
        };
        if let Some(block) = block.map_err(failed(&path))? {
            found.bytes += block.bytes;
            found.waiting.push(block);
        }
    }
    Ok(found)
}

/// Seals the block that was open when the last run ended.
fn close(dir: &Path, sequence: u64, found: &mut Found) -> io::Result<Option<SealedBlock>> {
    let path = file_path(dir, sequence, OPEN);
    let bytes = fs::read(&path)?;
    let extent = measure(&bytes);
    let length = bytes.len() as u64;
    if extent.tail == Tail::Damaged {
        // The whole frames before the damage are inserted; the file as it was found stays beside.
        let kept = dir.join(format!("{sequence:016}-{}.{DAMAGED}", uuid::Uuid::now_v7()));
        fs::copy(&path, &kept)?;
        found.damaged.push(kept);
        found.bytes += length;
    }
    if !extent.has_header() || extent.is_empty() {
        fs::remove_file(&path)?;
        return Ok(None);
    }
    let intact = extent.intact_bytes as u64;
    if intact < length {
        let file = OpenOptions::new().write(true).open(&path)?;
        file.set_len(intact)?;
        file.sync_all()?;
        found.cut_bytes += length - intact;
    }
    fs::rename(&path, file_path(dir, sequence, SEALED))?;
    Ok(Some(SealedBlock { sequence, bytes: intact, suffix: SEALED, may_be_torn: false }))
}

/// Reads `0000000000000042.block`.
fn block_name(name: &str) -> Option<(u64, &'static str)> {
    let (sequence, suffix) = name.split_once('.')?;
    let suffix = [OPEN, SEALED].into_iter().find(|known| *known == suffix)?;
    Some((sequence.parse().ok()?, suffix))
}

/// Bytes of a file, or of the files in a folder (`rejected/` has no folders in it).
fn bytes_of(path: &Path) -> io::Result<u64> {
    let meta = fs::metadata(path)?;
    if !meta.is_dir() {
        return Ok(meta.len());
    }
    let mut bytes = 0;
    for entry in fs::read_dir(path)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}
