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

    /// The answer's HTTP status came, 0 where there was none: gives the events that leave the queue,
    /// because they are on the collector's disk or refused for good. The others are sent again later.
    pub(crate) fn answered(&mut self, status: u32, clock: &impl Clock) -> String {
        let events = core::mem::take(&mut self.in_flight);
        self.beaconed = String::new();
        if is_final(status) {
            self.failures = 0;
            return events;
        }
        self.due = Some(clock.now() + wait_millis(self.failures, clock.chance()));
        self.failures = self.failures.saturating_add(1);
        String::new()
    }

    /// Whether a batch is on its way.
    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight.is_empty()
    }
}

/// Whether sending the same again would be of no use: accepted, or the sender's fault.
fn is_final(status: u32) -> bool {
    (200..300).contains(&status) || (400..500).contains(&status) && !matches!(status, 408 | 429)
}

/// Doubles with each failure; the half of it is chance (0 to 255), so that pages that failed
/// together do not come back together.
fn wait_millis(failures: u32, chance: u8) -> u64 {
    let full = (RETRY_MILLIS_MIN << failures.min(16)).min(RETRY_MILLIS_MAX);
    full / 2 + full / 2 * u64::from(chance) / 255
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_and_ends_at_a_minute() {
        assert_eq!((wait_millis(0, 0), wait_millis(0, 255)), (500, 1000));
        assert_eq!((wait_millis(3, 0), wait_millis(3, 255)), (4000, 8000));
        assert_eq!(wait_millis(u32::MAX, 255), RETRY_MILLIS_MAX);
    }

    #[test]
    fn a_network_failure_a_server_error_and_a_full_house_are_tried_again() {
        for status in [0, 408, 429, 500, 502, 503] {
            assert!(!is_final(status), "{status}");
        }
        for status in [200, 202, 400, 403, 413] {
            assert!(is_final(status), "{status}");
        }
    }
}
