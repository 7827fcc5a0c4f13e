//! When files that may be replaced while the collector runs should be read again.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// How often files are looked at.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What tells that a file was replaced: when, and how many bytes it has; `None` where it is absent.
type Stamp = Option<(SystemTime, u64)>;

/// The files as they were last seen, and as they were last read.
#[derive(Clone, Debug)]
pub(crate) struct Changes {
    files: Vec<PathBuf>,
    seen: Vec<Stamp>,
    read: Vec<Stamp>,
}

impl Changes {
    /// To be made before the files are read for the first time.
    pub(crate) fn of(files: impl IntoIterator<Item = PathBuf>) -> Self {
        let files: Vec<_> = files.into_iter().collect();
        let seen = stamps(&files);
        Self { files, read: seen.clone(), seen }
    }

    /// Whether the files differ from those last read and have not changed since the last look, so
    /// that none is read while it is written. Tells it once: what is broken is not read for ever.
    pub(crate) fn are_complete(&mut self) -> bool {
        let now = stamps(&self.files);
        let before = std::mem::replace(&mut self.seen, now.clone());
        if now == self.read || now != before {
            return false;
        }
        self.read = now;
        true
    }
}

fn stamps(files: &[PathBuf]) -> Vec<Stamp> {
    let stamp = |path: &PathBuf| {
        let found = std::fs::metadata(path).ok()?;
        Some((found.modified().ok()?, found.len()))
    };
    files.iter().map(stamp).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_again_once_it_stands_still() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "1").unwrap();
        let mut changes = Changes::of([file.clone()]);
        assert!(!changes.are_complete(), "nothing has changed");
        std::fs::write(&file, "22").unwrap();
        assert!(!changes.are_complete(), "it may still be written");
        std::fs::write(&file, "333").unwrap();
        assert!(!changes.are_complete(), "it is still written");
        assert!(changes.are_complete());
        assert!(!changes.are_complete(), "it is told once");
        std::fs::remove_file(&file).unwrap();
        assert!(!changes.are_complete());
        assert!(changes.are_complete(), "a file that is gone has changed");
    }
}
