//! A program that goes on until it is stopped.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::program::footfall;

/// How long a program may take to be ready, and to end: an engine's start and a spool's last inserts are in it,
/// on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running `footfall`; killed when this goes, as `kill -9` does.
pub struct Running {
    program: Child,
    said: String,
}

impl Running {
    /// Starts a command and reads what it prints until a line begins with `ready`.
    ///
    /// # Errors
    /// Where the program ends before that, or says nothing for two minutes; what it logged is on this test's
    /// standard error.
    pub fn start(arguments: &[&str], ready: &str) -> anyhow::Result<Self> {
        Self::start_command(footfall(arguments)?, ready)
    }

    /// The same of a command that another program runs.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_command(mut command: Command, ready: &str) -> anyhow::Result<Self> {
        let mut program = command.stdout(Stdio::piped()).spawn()?;
        let lines = lines(program.stdout.take().context("a pipe")?);
        // From here on it is killed where this fails.
        let mut running = Self { program, said: String::new() };
        loop {
            match lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    running.said.push_str(&line);
                    if line.starts_with(ready) {
                        return Ok(running);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("{command:?} ended with {}", running.ended()?);
                }
                Err(RecvTimeoutError::Timeout) => {
                    bail!("{command:?} is not ready, and has said: {}", running.said);
                }
            }
        }
    }

    /// How the program ended, once it has.
    fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        eventually(PATIENCE, || self.program.try_wait()?.context("the program does not end"))
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
    /// Where it does not end well, or within two minutes.
    pub fn stop(mut self) -> anyhow::Result<()> {
        let asked = Command::new("kill").arg(self.program.id().to_string()).status()?;
        ensure!(asked.success(), "kill could not reach the program");
        let ended = self.ended()?;
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

/// What a program prints, line by line, read to its end: a full pipe would stop it, a closed one end it.
fn lines(output: ChildStdout) -> Receiver<String> {
    let (tell, lines) = channel();
    thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = String::new();
        while output.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
            // Nobody listens any more once it is ready.
            drop(tell.send(std::mem::take(&mut line)));
        }
    });
    lines
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
            Err(_) => thread::sleep(Duration::from_millis(50)),
        }
    }
}
