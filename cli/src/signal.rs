//! When to stop.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Ends when the program is told to stop, for any number of waiters.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Listens for SIGTERM (a service manager) and SIGINT (a person at the keyboard). A second
    /// signal ends the program at once: what is on the spool stays there.
    pub(crate) fn on_signal() -> std::io::Result<Self> {
        let (told, stop) = watch::channel(false);
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::spawn(async move {
            for again in [false, true] {
                tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
                if again {
                    std::process::exit(130);
                }
                tracing::info!("stopping; a second signal stops at once");
                told.send_replace(true);
            }
        });
        Ok(Self(stop))
    }

    pub(crate) async fn wait(mut self) {
        // An error means that the sender is gone, and then there is nothing left to wait for.
        drop(self.0.wait_for(|told| *told).await);
    }
}
