//! What the system tells of this process, under the names that all Prometheus clients use. On Linux;
//! elsewhere the memory and the files are not known and stay at nought.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::{Number, registered};

#[derive(Debug)]
pub(super) struct Process {
    resident_bytes: Number,
    open_files: Number,
}

impl Process {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let registry = registry.sub_registry_with_prefix("process");
        let (name, help) = ("start_time_seconds", "When it started, since 1970");
        let started: Gauge = registered(registry, name, help, Gauge::default());
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        started.set(i64::try_from(since.as_secs()).unwrap_or_default());
        Self {
            resident_bytes: registered(
                registry,
                "resident_memory_bytes",
                "Memory it takes, geo files included",
                Number::default(),
            ),
            open_files: registered(
                registry,
                "open_fds",
                "Open files and connections",
                Number::default(),
            ),
        }
    }

    pub(super) fn look(&self) {
        self.resident_bytes.set(resident_bytes().unwrap_or_default());
        self.open_files.set(fs::read_dir("/proc/self/fd").map_or(0, Iterator::count) as u64);
    }
}

fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
