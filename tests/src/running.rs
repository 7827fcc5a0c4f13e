//! A program that goes on until it is stopped.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::program::footfall;

/// A running `footfall`; killed when this goes, as `kill -9` does.
pub struct Running {
    program: Child,
    said: String,
    // Held, because a closed pipe would end a program that prints.
    _output: BufReader<ChildStdout>,
}

impl Running {
    /// Starts a command and reads what it prints until a line begins with `ready`.
    ///
    /// # Errors
    /// Where the program ends before that; what it logged is on this test's standard error.
    pub fn start(arguments: &[&str], ready: &str) -> anyhow::Result<Self> {
        Self::start_command(footfall(arguments)?, ready)
    }

    /// The same of a command that another program runs.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_command(mut command: Command, ready: &str) -> anyhow::Result<Self> {
        let mut program = command.stdout(Stdio::piped()).spawn()?;
        let mut output = BufReader::new(program.stdout.take().context("a pipe")?);
        let mut said = String::new();
        loop {
            let from = said.len();
            if output.read_line(&mut said)? == 0 {
                bail!("{command:?} ended with {}", program.wait()?);
            }
            if said.get(from..).is_some_and(|line| line.starts_with(ready)) {
                return Ok(Self { program, said, _output: output });
            }
        }
    }

    /// The second word of the line that begins with `name`: an address.
    ///
    /// # Errors
    /// Where the program said no such line.
    pub fn address(&self, name: &str) -> anyhow::Result<String> {
        let line = self.said.lines().find(|line| line.starts_with(name));
        let address = line.and_then(|line| line.split_whitespace().last());
        Ok(address.with_context(|| format!("no line {name} in: {}", self.said))?.to_owned())
    }

    /// The process's number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.program.id()
    }

    /// Asks the program to read again what can be read again (SIGHUP).
    ///
    /// # Errors
    /// Where it is gone.
    pub fn reload(&self) -> anyhow::Result<()> {
        let process = Pid::from_raw(self.id().cast_signed()).context("a process")?;
        Ok(kill_process(process, Signal::HUP)?)
    }

    /// Asks the program to stop, as a service manager does, and waits until it has.
    ///
    /// # Errors
    /// Where it does not end well.
    pub fn stop(mut self) -> anyhow::Result<()> {
        let asked = Command::new("kill").arg(self.program.id().to_string()).status()?;
        ensure!(asked.success(), "kill could not reach the program");
        let ended = self.program.wait()?;
        ensure!(ended.success(), "the program ended with {ended}");
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Either fails only where the program has ended already.
        drop(self.program.kill());
        drop(self.program.wait());
    }
}

/// Asks again and again until the answer is there, and fails with the last miss after `patience`.
///
/// # Errors
/// Where `patience` ran out.
pub fn eventually<T>(
    patience: Duration,
    mut ask: impl FnMut() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let asked = Instant::now();
    loop {
        match ask() {
            Ok(answer) => return Ok(answer),
            Err(miss) if asked.elapsed() > patience => return Err(miss),
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}
