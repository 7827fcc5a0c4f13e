//! The thread that blocks go out on.
//!
//! A large block is written to a connection piece by piece, and each piece would wait there until all requests
//! that have come were served: on a busy core an insert then takes as long as thousands of requests. Between
//! two threads the system shares the core.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::thread::{self, JoinHandle};

use tokio::runtime;
use tokio::sync::oneshot;

/// A drain under way. Ends at once where this is dropped.
#[derive(Debug)]
pub(crate) struct Draining {
    /// Nothing comes this way; it closes with the thread's end, by a panic too.
    ended: oneshot::Receiver<Infallible>,
    /// Nor this way: it closes with this.
    wanted: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Draining {
    /// Runs what `way_out` gives.
    ///
    /// # Errors
    /// When the system has no more threads.
    pub(crate) fn start<F: Future<Output = ()>>(
        way_out: impl FnOnce() -> F + Send + 'static,
    ) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (end, ended) = oneshot::channel();
        let (wanted, dropped) = oneshot::channel::<Infallible>();
        let run = move || {
            let _end = end;
            runtime.block_on(async {
                tokio::select! {
                    () = way_out() => {}
                    _ = dropped => {}
                }
            });
        };
        let thread = thread::Builder::new().name("drain".to_owned()).spawn(run)?;
        Ok(Self { ended, wanted: Some(wanted), thread: Some(thread) })
    }

    /// Returns when nothing goes out any more. Not to be called again then.
    pub(crate) async fn ended(&mut self) {
        // An error: that is how it ends.
        let (Ok(_) | Err(_)) = (&mut self.ended).await;
    }
}

impl Drop for Draining {
    /// Waits for the step under way, also for the block that is read and synced ahead; not for ClickHouse. Whoever
    /// opens the spool next finds it free.
    fn drop(&mut self) {
        self.wanted.take();
        if let Some(thread) = self.thread.take() {
            // That it panicked was said when it did.
            drop(thread.join());
        }
    }
}
