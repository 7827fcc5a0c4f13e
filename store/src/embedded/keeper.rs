//! Starts the child and knows when it ended.

use std::io;
use std::process::{ChildStdin, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::{oneshot, watch};

/// A child process with a thread of its own, which starts it and waits for it. Of its own, because Linux
/// ties the signal at the parent's death to the thread that started the child, and a runtime's threads
/// come and go.
#[derive(Debug)]
pub(super) struct Keeper {
    pid: u32,
    ended: watch::Receiver<Option<ExitStatus>>,
    /// Set while the child's end would surprise its user.
    needed: Arc<AtomicBool>,
    /// Held, never written: the child ends when this is closed.
    _lifeline: ChildStdin,
}

impl Keeper {
    /// Starts the command, whose standard input is piped.
    pub(super) async fn spawn(mut command: Command) -> io::Result<Self> {
        let (started, start) = oneshot::channel();
        let (end, ended) = watch::channel(None);
        let needed = Arc::new(AtomicBool::new(false));
        let still_needed = Arc::clone(&needed);
        let keep = move || {
            let (mut child, sent) = match command.spawn() {
                Ok(mut child) => {
                    let lifeline = child.stdin.take();
                    let pid = child.id();
                    (child, started.send(Ok((pid, lifeline))).is_ok())
                }
                Err(error) => {
                    // Nobody waits any more: then nobody needs to know.
                    drop(started.send(Err(error)));
                    return;
                }
            };
            if !sent {
                tracing::debug!("nobody waits for the child; its standard input is closed by now");
            }
            match child.wait() {
                Ok(status) => {
                    if still_needed.load(Ordering::Relaxed) {
                        tracing::error!(%status, "the embedded ClickHouse ended by itself");
                    }
                    end.send_replace(Some(status));
                }
                Err(error) => tracing::warn!(%error, "cannot wait for the embedded ClickHouse"),
            }
        };
        // Not joined: the thread ends with the child.
        drop(thread::Builder::new().name("clickhouse-keeper".to_owned()).spawn(keep)?);
        let gone = || io::Error::other("the thread that starts it ended");
        let (pid, lifeline) = start.await.map_err(|_| gone())??;
        let lifeline = lifeline.ok_or_else(gone)?;
        Ok(Self { pid, ended, needed, _lifeline: lifeline })
    }

    /// From here on an end that nobody asked for is logged.
    pub(super) fn need(&self) {
        self.needed.store(true, Ordering::Relaxed);
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// How the child ended, where it did.
    pub(super) fn ended(&self) -> Option<ExitStatus> {
        *self.ended.borrow()
    }

    /// Waits for the child's end, but not longer than this.
    pub(super) async fn ended_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        let ended = tokio::time::timeout(limit, self.ended.wait_for(Option::is_some)).await;
        ended.ok()?.ok().and_then(|status| *status)
    }

    /// Waits until the child has ended.
    pub(super) async fn ended_by_itself(&mut self) {
        // An error: the thread that waits for the child is gone, and so is the child.
        drop(self.ended.wait_for(Option::is_some).await);
    }

    pub(super) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    pub(super) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        self.needed.store(false, Ordering::Relaxed);
        // Once it was waited for, the id may be another's.
        if self.ended().is_some() {
            return;
        }
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        if let Some(Err(error)) = pid.map(|pid| kill_process(pid, signal)) {
            tracing::debug!(%error, "the embedded ClickHouse could not be signalled");
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.needed.store(false, Ordering::Relaxed);
    }
}
