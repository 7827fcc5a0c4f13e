//! Room for as many open files as there may be connections: each is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files beside the connections': the spool's, geo files, the connections to ClickHouse.
const OTHER_FILES: u64 = 256;

/// Raises this process's limit of open files as far as connections need it and the system lets it; says
/// so where that is not enough.
pub(crate) fn raise_open_files(connections_max: usize) {
    let needed = (connections_max as u64).saturating_add(OTHER_FILES);
    let limit = getrlimit(Resource::Nofile);
    let Some(now) = limit.current.filter(|now| *now < needed) else { return };
    let most = limit.maximum.unwrap_or(needed).min(needed);
    let raised = Rlimit { current: Some(most), maximum: limit.maximum };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => most,
        Err(_) => now,
    };
    if files < needed {
        tracing::warn!(
            files,
            needed,
            "fewer files may be open than --connections-max needs; raise the limit (LimitNOFILE=, ulimit -n)"
        );
    }
}
