//! A child that does not outlive `cargo xtask`, even where that is killed at once.
//!
//! Before it becomes the program it was asked for, the child asks Linux to end it with its parent.
//! Elsewhere only [`crate::running::Running`] ends it.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::program::show;

#[derive(clap::Args)]
pub(crate) struct Guard {
    /// The process that must be alive
    #[arg(long)]
    parent: u32,
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    program: Vec<OsString>,
}

impl Guard {
    pub(crate) fn run(self) -> Result<()> {
        end_with(self.parent)?;
        let (program, arguments) = self.program.split_first().expect("clap requires one");
        become_program(Command::new(program).args(arguments))
    }
}

/// The same command, run through the guard.
pub(crate) fn guarded(command: &Command) -> Result<Command> {
    let mut guard = Command::new(this_program()?);
    guard.args(["guard", "--parent", &std::process::id().to_string(), "--"]);
    guard.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => guard.env(name, value),
            None => guard.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        guard.current_dir(folder);
    }
    Ok(guard)
}

/// Not by its path on Linux: cargo may have put a newer build there while this one runs.
fn this_program() -> Result<PathBuf> {
    let running = PathBuf::from("/proc/self/exe");
    Ok(if running.exists() { running } else { std::env::current_exe()? })
}

#[cfg(target_os = "linux")]
fn end_with(parent: u32) -> Result<()> {
    use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

    set_parent_process_death_signal(Some(Signal::TERM))?;
    // It may have ended before the line above; then no signal comes.
    let alive = getppid().map(Pid::as_raw_nonzero).is_some_and(|id| id.get() as u32 == parent);
    anyhow::ensure!(alive, "the process that asked for this program has ended");
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn end_with(_parent: u32) -> Result<()> {
    Ok(())
}

fn become_program(command: &mut Command) -> Result<()> {
    // Returns only where it failed.
    let failure = command.exec();
    Err(anyhow::Error::new(failure).context(format!("could not run {}", show(command))))
}
