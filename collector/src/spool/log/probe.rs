//! Whether the spool could be written, without a row.

use std::fs::{self, File};
use std::io::{self, Write};

use super::{PROBE, Spool};

/// As much as a request's body may have: where there is no room for that, the next batch may not find any.
const PROBE_BYTES: usize = 1024 * 1024;

impl Spool {
    /// Writes a file and takes it away again. Takes as long as the disk does.
    pub(crate) fn probe(&self) -> io::Result<()> {
        let path = self.dir.join(PROBE);
        let written = File::create(&path).and_then(|mut file| {
            file.write_all(&vec![0; PROBE_BYTES])?;
            file.sync_all()
        });
        // Also where it broke off: it takes room.
        let removed = fs::remove_file(&path);
        written.and(removed)
    }
}
