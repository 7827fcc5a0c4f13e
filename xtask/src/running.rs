//! Programs that go on beside `cargo xtask`: started, waited for, and gone when it is.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::guard::guarded;
use crate::program::show;

/// How long a program may take to end once asked; ClickHouse takes under 2 s.
const STOP: Duration = Duration::from_secs(20);
/// How often to look again: well under what a person notices.
const LOOK: Duration = Duration::from_millis(50);

/// A program that runs until this goes.
pub(crate) struct Running {
    child: Child,
    shown: String,
    lines: mpsc::Receiver<String>,
}

impl Running {
    /// Starts a program; what it prints is kept for [`Running::line`], what it logs passes through.
    /// Call it from the main thread: Linux ends the program with the thread that started it.
    pub(crate) fn start(command: &Command) -> Result<Self> {
        let shown = show(command);
        let mut child = guarded(command)?
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("could not run {shown}"))?;
        let output = BufReader::new(child.stdout.take().context("standard output is a pipe")?);
        let (sender, lines) = mpsc::channel();
        // Reads to the end whether anyone listens or not: a full pipe would stop the program.
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                drop(sender.send(line));
            }
        });
        Ok(Self { child, shown, lines })
    }

    /// Waits for a line that begins with `start` and gives it.
    pub(crate) fn line(&mut self, start: &str, patience: Duration) -> Result<String> {
        let began = Instant::now();
        loop {
            let left = patience.saturating_sub(began.elapsed());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.starts_with(start) => return Ok(line),
                Ok(_) => {}
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    bail!("{} did not print \"{start}\" within {patience:?}", self.shown)
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    bail!("{} ended with {} before it was ready", self.shown, self.child.wait()?)
                }
            }
        }
    }

    /// Waits until the program ends of itself.
    pub(crate) fn wait(mut self) -> Result<()> {
        let status = self.child.wait()?;
        ensure!(status.success(), "{} ended with {status}", self.shown);
        Ok(())
    }

    /// Fails where the program has ended.
    pub(crate) fn check(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) => bail!("{} ended with {status}", self.shown),
            None => Ok(()),
        }
    }

    /// Asks the program to end and waits until it has; after 20 s it is killed.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.end()
    }

    /// Ends the program at once.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// The process's number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    fn end(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        self.ask_to_end()?;
        let asked = Instant::now();
        while self.child.try_wait()?.is_none() {
            if asked.elapsed() > STOP {
                self.child.kill()?;
                self.child.wait()?;
                bail!("{} had to be killed", self.shown);
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    fn ask_to_end(&self) -> Result<()> {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        Ok(kill_process(id.context("a process id is positive")?, Signal::TERM)?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            eprintln!("{error:#}");
        }
    }
}

/// Waits until a URL of this machine (`http://127.0.0.1:PORT/PATH`) answers 200.
pub(crate) fn answers(url: &str, patience: Duration) -> Result<()> {
    let began = Instant::now();
    loop {
        match status(url) {
            Ok(200) => return Ok(()),
            outcome if began.elapsed() > patience => {
                let last = match outcome {
                    Ok(status) => format!("it answered {status}"),
                    Err(error) => format!("{error:#}"),
                };
                bail!("{url} did not answer 200 within {patience:?}: {last}");
            }
            _ => std::thread::sleep(LOOK),
        }
    }
}

fn status(url: &str) -> Result<u16> {
    let rest = url.strip_prefix("http://").context("not an http:// address")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")?;
    // `HTTP/1.1 200`: the rest does not matter.
    let mut head = [0; 12];
    stream.read_exact(&mut head)?;
    let status = String::from_utf8_lossy(&head).split(' ').nth(1).map(str::parse);
    Ok(status.context("not an HTTP answer")??)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn answering(head: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/healthz", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let lines = BufReader::new(&stream).lines().map_while(Result::ok);
                // To the end: a connection that is closed with something unread takes its answer back.
                let head_lines: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
                assert_eq!(head_lines[0], "GET /healthz HTTP/1.1");
                (&stream).write_all(head.as_bytes()).unwrap();
            }
        });
        url
    }

    #[test]
    fn waits_for_a_200_only() {
        let patience = Duration::from_millis(200);
        answers(&answering("HTTP/1.1 200 OK\r\n\r\n"), patience).unwrap();
        let error = answers(&answering("HTTP/1.1 503 Busy\r\n\r\n"), patience).unwrap_err();
        assert!(error.to_string().ends_with("it answered 503"), "{error}");
    }

    #[test]
    fn says_what_ended_too_early() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo starting; exit 3"]);
        // Without the guard: the test program has no such subcommand.
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            output.lines().map_while(Result::ok).for_each(|line| sender.send(line).unwrap());
        });
        let mut running = Running { child, shown: show(&command), lines };
        let error = running.line("ready", Duration::from_secs(10)).unwrap_err();
        assert!(error.to_string().contains("ended with exit status: 3"), "{error}");
    }
}
