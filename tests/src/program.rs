//! The built program, found and run.

use std::path::PathBuf;
use std::process::{Command, Output};

use anyhow::{Context, bail, ensure};
use serde_json::Value;

/// A command of the built `footfall`, with nothing of this machine's settings in its environment.
///
/// # Errors
/// Where the program has not been built.
pub fn footfall(arguments: &[&str]) -> anyhow::Result<Command> {
    let mut command = Command::new(built("footfall")?);
    for (name, _) in std::env::vars_os() {
        let ours = name.to_str().is_some_and(|name| name.starts_with("FOOTFALL_"));
        if ours && name != "FOOTFALL_CACHE_DIR" {
            command.env_remove(name);
        }
    }
    command.args(arguments);
    Ok(command)
}

/// Where `cargo xtask build` put a program: `FOOTFALL_BIN_DIR`, else beside this test's own file.
fn built(name: &str) -> anyhow::Result<PathBuf> {
    let folder = match std::env::var_os("FOOTFALL_BIN_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => std::env::current_exe()?
            .ancestors()
            .nth(2)
            .context("a test's program lies in target/PROFILE/deps")?
            .to_owned(),
    };
    let program = folder.join(name);
    ensure!(program.is_file(), "{} is not built: run `cargo xtask build`", program.display());
    Ok(program)
}

/// What a run of the program printed.
pub struct Footfall {
    /// Standard output.
    pub printed: String,
    /// Standard error.
    pub errors: String,
    /// The exit code; `None` where a signal ended it.
    pub code: Option<i32>,
}

impl Footfall {
    /// Runs a command to its end, whatever that is.
    ///
    /// # Errors
    /// Where the program cannot be started at all.
    pub fn run(arguments: &[&str]) -> anyhow::Result<Self> {
        let Output { status, stdout, stderr } = footfall(arguments)?.output()?;
        Ok(Self {
            printed: String::from_utf8(stdout)?,
            errors: String::from_utf8_lossy(&stderr).into_owned(),
            code: status.code(),
        })
    }

    /// Runs a command that must succeed, and gives what it printed.
    ///
    /// # Errors
    /// Where it fails, with what it said.
    pub fn printed(arguments: &[&str]) -> anyhow::Result<String> {
        let run = Self::run(arguments)?;
        if run.code != Some(0) {
            bail!("footfall {} ended with {:?}: {}", arguments.join(" "), run.code, run.errors);
        }
        Ok(run.printed)
    }

    /// The same, read as JSON.
    ///
    /// # Errors
    /// Where it fails, or prints something else.
    pub fn json(arguments: &[&str]) -> anyhow::Result<Value> {
        let printed = Self::printed(arguments)?;
        serde_json::from_str(&printed).with_context(|| format!("not JSON: {printed}"))
    }
}
