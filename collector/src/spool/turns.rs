//! Long work beside requests that want to be answered now.
//!
//! Where the two have one core, Linux gives it to each for a tick of its timer (4 ms at the 250 a second that
//! distributions choose): a block that is made ready in 80 ms of work is then twenty pauses of 4 ms, and each is
//! waited for by all requests that are under way. A thread that gives the core away by itself is had back as soon
//! as the other has had its tick, so the pauses are as short as the work between two turns, and fewer.

use std::fs::File;
use std::io::{self, Read, Take};
use std::thread;

/// Bytes that are worked on in a turn: a tenth of a millisecond for the slowest step, which turns rows into columns.
pub(super) const TURN_BYTES: usize = 32 * 1024;

/// Gives the core to whoever waits for it, after each so many bytes of work.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    bytes: usize,
}

impl Turns {
    /// So many bytes were worked on.
    pub(crate) fn worked(&mut self, bytes: usize) {
        self.bytes += bytes;
        if self.bytes >= TURN_BYTES {
            self.bytes = 0;
            thread::yield_now();
        }
    }
}

/// Reads a file up to the limit.
pub(super) fn read(mut file: Take<File>) -> io::Result<Vec<u8>> {
    let whole = file.limit().min(file.get_ref().metadata()?.len());
    let mut bytes = Vec::with_capacity(usize::try_from(whole).unwrap_or_default());
    let mut turns = Turns::default();
    loop {
        match file.by_ref().take(TURN_BYTES as u64).read_to_end(&mut bytes)? {
            0 => return Ok(bytes),
            read => turns.worked(read),
        }
    }
}
