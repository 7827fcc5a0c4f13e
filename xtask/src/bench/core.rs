//! Which core a program runs on: the server and the load must not take each other's time.

use anyhow::Result;

/// Runs the server under measure.
pub(super) const SERVER: usize = 0;
/// Runs the load.
pub(super) const LOAD: usize = 1;

/// Programs started from this thread from now on stay on this core.
#[cfg(target_os = "linux")]
pub(super) fn stay_on(core: usize) -> Result<()> {
    use rustix::thread::{CpuSet, sched_setaffinity};

    let mut set = CpuSet::new();
    set.set(core);
    Ok(sched_setaffinity(None, &set)?)
}

/// Elsewhere the system places them, which makes the figures less even.
#[cfg(not(target_os = "linux"))]
pub(super) fn stay_on(_core: usize) -> Result<()> {
    Ok(())
}

/// Programs started from now on run wherever the system puts them.
#[cfg(target_os = "linux")]
pub(super) fn stay_anywhere(cores: usize) -> Result<()> {
    use rustix::thread::{CpuSet, sched_setaffinity};

    let mut set = CpuSet::new();
    (0..cores.min(CpuSet::MAX_CPU)).for_each(|core| set.set(core));
    Ok(sched_setaffinity(None, &set)?)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn stay_anywhere(_cores: usize) -> Result<()> {
    Ok(())
}
