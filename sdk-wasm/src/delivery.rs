//! When to send, and what to do with the answer.

use alloc::string::String;

use crate::config::FLUSH_MILLIS;
use crate::queue;

/// One batch at a time on its way.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    pub(crate) in_flight: String,
    /// Given to the browser as a beacon, unanswered: not to be given again by the next `pagehide`.
    pub(crate) beaconed: String,
    due: Option<u64>,
    any_sent: bool,
}

impl Delivery {
    /// Nothing was sent, and nothing is to be.
    pub(crate) const fn new() -> Self {
        Self { in_flight: String::new(), beaconed: String::new(), due: None, any_sent: false }
    }

    /// There is something to send: at once (in the browser's next task) the first time, so that a
    /// short visit is told too; then in a little while, with company.
    pub(crate) fn wanted(&mut self, now: u64) {
        if self.due.is_none() {
            let wait = if self.any_sent { FLUSH_MILLIS } else { 0 };
            self.due = Some(now + wait);
        }
    }

    /// When the next batch should go; `None` while one is on its way.
    pub(crate) fn due(&self) -> Option<u64> {
        self.due.filter(|_| self.in_flight.is_empty())
    }

    /// It is not to be sent before then, whatever waits.
    pub(crate) fn held(&mut self, until: u64) {
        self.due = Some(until);
    }

    /// A batch goes.
    pub(crate) fn sent(&mut self, events: String) {
        self.in_flight = events;
        self.due = None;
        self.any_sent = true;
    }

    /// Nothing is left to send.
    pub(crate) fn nothing_left(&mut self) {
        self.due = None;
    }

    /// A batch goes without an answer to come.
    pub(crate) fn beaconed(&mut self, events: &str) {
        queue::push_line(&mut self.beaconed, events);
    }

    /// An answer came: what is left, if anything, goes in a little while; what is to go `again` waits for that.
    pub(crate) fn answered(&mut self, now: u64, again_millis: u32) {
        self.in_flight = String::new();
        self.beaconed = String::new();
        let wait = if again_millis == 0 { FLUSH_MILLIS } else { again_millis.into() };
        self.due = Some(now + wait);
    }

    /// Whether a batch is on its way.
    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight.is_empty()
    }
}
