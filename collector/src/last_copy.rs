//! What ClickHouse last said, on disk, for a start while it is away.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

/// A file that is whole or not there: it is replaced, never written into, and a power loss leaves the old one or
/// the new one.
#[derive(Debug)]
pub(crate) struct LastCopy(PathBuf);

impl LastCopy {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Nothing where there is none yet. One that cannot be read is told, and counts as none.
    pub(crate) fn read<T>(&self, parse: impl FnOnce(&[u8]) -> io::Result<T>) -> Option<T> {
        match fs::read(&self.0).and_then(|bytes| parse(&bytes)) {
            Ok(read) => Some(read),
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(file = %self.0.display(), %error, "cannot read the last copy");
                }
                None
            }
        }
    }

    /// That it cannot be written is told: it is missed at a start only.
    pub(crate) fn replace(&self, bytes: &[u8]) {
        let new = self.0.with_added_extension("new");
        let written = File::create(&new)
            .and_then(|mut file| {
                file.write_all(bytes)?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&new, &self.0));
        if let Err(error) = written {
            tracing::warn!(file = %self.0.display(), %error, "cannot keep a copy");
        }
    }
}
