//! What a running program holds, as the system tells it.

use anyhow::Context;

/// Memory and files of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Bytes of memory that are in use (the resident set).
    pub memory: u64,
    /// The most it has been since the process began.
    pub memory_most: u64,
    /// Open files, connections among them.
    pub files: usize,
}

impl Held {
    /// Looks it up in `/proc`.
    ///
    /// # Errors
    /// Where there is no such process, or no `/proc`.
    pub fn by(process: u32) -> anyhow::Result<Self> {
        let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
        let bytes = |name: &str| -> anyhow::Result<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kib =
                line.and_then(|line| line.split_whitespace().next()).context("no such line")?;
            Ok(kib.parse::<u64>()? * 1024)
        };
        let files = std::fs::read_dir(format!("/proc/{process}/fd"))?.count();
        Ok(Self { memory: bytes("VmRSS:")?, memory_most: bytes("VmHWM:")?, files })
    }
}

/// Raises this process's limit of open files as far as it may be, for itself and what it starts; the limit.
#[must_use]
pub fn raise_open_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(1 << 20);
    match setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum: limit.maximum }) {
        Ok(()) => most,
        Err(_) => limit.current.unwrap_or(most),
    }
}
