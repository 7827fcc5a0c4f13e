//! The engine's folder: `clickhouse/` below the data folder.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::EngineError;
use crate::server::Address;

const LAST_BYTES: u64 = 4096;
const LAST_LINES: usize = 10;

/// `clickhouse/`, for the user alone: what lies there is about persons.
///
/// - `data/` ClickHouse's own
/// - `engine.lock` locked by the engine as long as it runs, its process id inside
/// - `engine.url` where it answers, while it does
/// - `engine.xml` its settings
/// - `engine.log` what it says, 10 MB at most, and one old file of it
#[derive(Clone, Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes it where it is missing.
    pub(super) fn make(data_dir: &Path) -> Result<Self, EngineError> {
        Self::at(&data_dir.join("clickhouse"))
    }

    /// As `make`, with the engine's own folder.
    pub(super) fn at(path: &Path) -> Result<Self, EngineError> {
        let error = |source| EngineError::Folder { folder: path.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(path.join("data")).map_err(error)?;
        // Absolute: the engine resolves names inside by it.
        Ok(Self { path: path.canonicalize().map_err(error)? })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    pub(super) fn settings(&self) -> PathBuf {
        self.path.join("engine.xml")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.path.join("engine.log")
    }

    pub(super) fn error(&self, source: io::Error) -> EngineError {
        EngineError::Folder { folder: self.path.clone(), source }
    }

    /// Tells whether an engine is on the folder, without taking it.
    pub(super) fn check_free(&self) -> Result<(), EngineError> {
        self.lock().map(drop)
    }

    /// Takes the folder for as long as the file is open.
    pub(super) fn lock(&self) -> Result<File, EngineError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(self.lock_file()).map_err(|error| self.error(error))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::Error(source)) => Err(self.error(source)),
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                // Unreadable is unknown: the folder is taken either way.
                let pid = file.read_to_string(&mut pid).ok().and_then(|_| pid.trim().parse().ok());
                Err(EngineError::FolderTaken { folder: self.path.clone(), pid })
            }
        }
    }

    fn lock_file(&self) -> PathBuf {
        self.path.join("engine.lock")
    }

    /// An empty log; the one before it is kept as `engine.log.0`, as the engine's own rotation names it.
    pub(super) fn new_log(&self) -> Result<File, EngineError> {
        let log = self.log();
        if log.exists() {
            fs::rename(&log, self.path.join("engine.log.0")).map_err(|error| self.error(error))?;
        }
        let mut options = OpenOptions::new();
        options.append(true).create(true).mode(0o600);
        options.open(log).map_err(|error| self.error(error))
    }

    /// What the engine said last.
    pub(super) fn last_lines(&self) -> String {
        last_lines(&self.log()).unwrap_or_else(|error| format!("(cannot be read: {error})"))
    }

    /// Lets `running` find the engine.
    pub(super) fn write_address(&self, address: &Address) -> Result<(), EngineError> {
        let write = || {
            let incoming = self.path.join("engine.url.new");
            fs::write(&incoming, format!("{}\n", address.url))?;
            fs::rename(incoming, self.path.join("engine.url"))
        };
        write().map_err(|error| self.error(error))
    }

    pub(super) fn remove_address(&self) {
        match fs::remove_file(self.path.join("engine.url")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                // Harmless: nobody answers there, which is checked before it is used.
                tracing::debug!(%error, "the engine's address could not be removed");
            }
            _ => {}
        }
    }
}

/// Where the engine of a data folder said that it answers.
pub(super) fn read_address(data_dir: &Path) -> Option<Address> {
    let text = fs::read_to_string(data_dir.join("clickhouse").join("engine.url")).ok()?;
    text.trim().parse().ok()
}

/// Writes who has the lock into its file.
pub(super) fn write_pid(mut lock: &File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.seek(SeekFrom::Start(0))?;
    writeln!(lock, "{}", std::process::id())
}

fn last_lines(file: &Path) -> io::Result<String> {
    let mut file = File::open(file)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LAST_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(LAST_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().collect();
    Ok(lines.get(lines.len().saturating_sub(LAST_LINES)..).unwrap_or_default().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_folder_tells_by_whom_until_it_is_given_back() {
        let data_dir = tempfile::tempdir().unwrap();
        let folder = Folder::make(data_dir.path()).unwrap();
        let lock = folder.lock().unwrap();
        write_pid(&lock).unwrap();
        let error = folder.check_free().unwrap_err();
        let here = std::process::id();
        assert!(
            matches!(error, EngineError::FolderTaken { pid: Some(pid), .. } if pid == here),
            "{error:?}"
        );
        assert!(error.to_string().contains(&format!("(process {here})")), "{error}");
        drop(lock);
        folder.check_free().unwrap();
    }

    #[test]
    fn the_last_lines_of_a_long_log_are_given_whole() {
        let data_dir = tempfile::tempdir().unwrap();
        let folder = Folder::make(data_dir.path()).unwrap();
        let lines: String = (0..1000).map(|n| format!("line {n}\n")).collect();
        folder.new_log().unwrap().write_all(lines.as_bytes()).unwrap();
        let last = folder.last_lines();
        assert!(last.starts_with("line 990\n") && last.ends_with("line 999"), "{last}");
        folder.new_log().unwrap();
        assert_eq!(folder.last_lines(), "");
    }
}
