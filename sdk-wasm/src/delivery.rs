//! When to send, and what to do with the answer.

use alloc::string::String;

use crate::browser::Clock;
use crate::config::{FLUSH_MILLIS, RETRY_MILLIS_MAX, RETRY_MILLIS_MIN};
use crate::queue;

/// One batch at a time on its way.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    pub(crate) in_flight: String,
    /// Given to the browser as a beacon, unanswered: not to be given again by the next `pagehide`.
    pub(crate) beaconed: String,
    due: Option<u64>,
    failures: u32,
    any_sent: bool,
}

impl Delivery {
    /// Nothing was sent, and nothing is to be.
    pub(crate) const fn new() -> Self {
        Self {
            in_flight: String::new(),
            beaconed: String::new(),
            due: None,
            failures: 0,
            any_sent: false,
        }
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

    /// An answer came: what is left, if anything, goes in a little while; where nothing was `done` the same
    /// goes again, later.
    pub(crate) fn answered(&mut self, done: bool, clock: &impl Clock) {
        self.in_flight = String::new();
        self.beaconed = String::new();
        let wait = if done {
            self.failures = 0;
            FLUSH_MILLIS
        } else {
            self.failures = self.failures.saturating_add(1);
            wait_millis(self.failures, clock.chance())
        };
        self.due = Some(clock.now() + wait);
    }

    /// Whether a batch is on its way.
    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight.is_empty()
    }
}

/// Doubles with each failure from the first; the half of it is chance (0 to 255), so that pages that failed
/// together do not come back together.
fn wait_millis(failures: u32, chance: u8) -> u64 {
    let full = ((RETRY_MILLIS_MIN / 2) << failures.min(16)).min(RETRY_MILLIS_MAX);
    full / 2 + full / 2 * u64::from(chance) / 255
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_and_ends_at_a_minute() {
        assert_eq!((wait_millis(1, 0), wait_millis(1, 255)), (500, 1000));
        assert_eq!((wait_millis(4, 0), wait_millis(4, 255)), (4000, 8000));
        assert_eq!(wait_millis(u32::MAX, 255), RETRY_MILLIS_MAX);
    }
}
