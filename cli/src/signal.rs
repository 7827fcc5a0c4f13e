//! When to stop, and when to read files again; and what the service manager is told of it.

use sd_notify::NotifyState;
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
                tell_service_manager(NotifyState::Stopping);
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

/// Tells the service manager when the collector takes requests, and passes every SIGHUP on to it, as
/// long as the program runs. Without this a SIGHUP would end the program.
pub(crate) fn hold(collector: collector::Handle) -> std::io::Result<()> {
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::spawn({
        let collector = collector.clone();
        async move {
            collector.takes_requests().await;
            tell_service_manager(NotifyState::Ready);
        }
    });
    tokio::spawn(async move {
        while hang_up.recv().await.is_some() {
            collector.reload();
        }
    });
    Ok(())
}

/// Nobody is told where systemd did not start the program.
fn tell_service_manager(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "cannot tell the service manager");
    }
}
