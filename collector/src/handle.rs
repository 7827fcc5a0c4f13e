//! A running collector, held from outside: told to read its files again, asked whether it is ready.

use std::sync::Arc;

use tokio::sync::{Notify, watch};

/// Any number of clones hold the same collector.
#[derive(Clone, Debug, Default)]
pub struct Handle(Arc<Held>);

#[derive(Debug, Default)]
struct Held {
    reload: Notify,
    takes_requests: watch::Sender<bool>,
}

impl Handle {
    /// Has the geo and network files, the certificate, the sites and the suppressions read again, at once.
    /// What cannot be read stays as it was.
    pub fn reload(&self) {
        self.0.reload.notify_one();
    }

    /// Ends when the collector takes requests. Never, where it does not start.
    pub async fn takes_requests(&self) {
        let mut takes = self.0.takes_requests.subscribe();
        // The sender lives as long as this.
        drop(takes.wait_for(|takes| *takes).await);
    }

    pub(crate) fn now_takes_requests(&self) {
        self.0.takes_requests.send_replace(true);
    }

    pub(crate) async fn told_to_reload(&self) {
        self.0.reload.notified().await;
    }
}
