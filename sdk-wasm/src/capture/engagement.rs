//! How long a page is really looked at, and how far down.
//!
//! Time counts while the page is visible and the visitor did something (moved, typed, touched, scrolled)
//! within the last [`ACTIVE_MILLIS`]: a page left open in front of nobody ends counting.
//! A view tells it in parts that add up: whenever the page is hidden or left, and each
//! [`PART_MILLIS`] of a long visit.

use alloc::string::String;

use crate::json::push_number;

/// How long after the last sign of the visitor they are taken to be there still.
pub const ACTIVE_MILLIS: u64 = 30_000;
/// A part is told when it has grown to this.
pub const PART_MILLIS: u64 = 60_000;
/// What is shorter, and has shown no more of the page, is not worth an event.
const TOLD_MILLIS_MIN: u64 = 500;

/// What is not told yet of the view.
#[derive(Debug, Default)]
pub struct Engagement {
    /// When the visitor was last known to look; `None` while the page is not visible.
    looked: Option<u64>,
    millis: u64,
    depth: u32,
    depth_told: u32,
}

impl Engagement {
    /// Nobody looks.
    #[must_use]
    pub const fn new() -> Self {
        Self { looked: None, millis: 0, depth: 0, depth_told: 0 }
    }

    /// The visitor looks, and has seen `depth` percent of the page. Gives whether a part is due.
    pub fn looks(&mut self, now: u64, depth: u32) -> bool {
        self.looks_away(now, depth);
        self.looked = Some(now);
        self.depth = self.depth.max(depth);
        self.millis >= PART_MILLIS
    }

    /// Of the page, `depth` percent were seen before now.
    pub fn saw(&mut self, depth: u32) {
        if self.looked.is_some() {
            self.depth = self.depth.max(depth);
        }
    }

    /// Whoever looks goes on to another page, and this one ends: to go on is a sign too.
    pub fn goes_on(&mut self, now: u64) {
        if self.looked.is_some() {
            self.looks(now, 0);
        }
    }

    /// The page is no longer visible. A clock that was put back counts nothing.
    pub fn looks_away(&mut self, now: u64, depth: u32) {
        if let Some(looked) = self.looked.take() {
            self.millis += now.saturating_sub(looked).min(ACTIVE_MILLIS);
            self.depth = self.depth.max(depth);
        }
    }

    /// What the event says of the part that ends now, if it is worth one: JSON.
    pub fn part(&mut self) -> Option<String> {
        if self.millis < TOLD_MILLIS_MIN && self.depth <= self.depth_told {
            return None;
        }
        let mut part = String::from("{\"engaged_ms\":");
        push_number(&mut part, self.millis);
        part.push_str(",\"scroll_percent\":");
        push_number(&mut part, self.depth.into());
        part.push_str("}");
        self.millis = 0;
        self.depth_told = self.depth;
        Some(part)
    }

    /// Another page is viewed, by whoever looks.
    pub fn turns(&mut self) {
        *self = Self { looked: self.looked, ..Self::new() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(millis: u64, depth: u32) -> Option<String> {
        Some(alloc::format!("{{\"engaged_ms\":{millis},\"scroll_percent\":{depth}}}"))
    }

    #[test]
    fn time_counts_between_signs_of_the_visitor_and_a_little_after_the_last() {
        let mut engagement = Engagement::new();
        for second in 0..=5 {
            assert!(!engagement.looks(second * 1000, 40));
        }
        engagement.looks_away(6000, 60);
        assert_eq!(engagement.part(), part(6000, 60));
        engagement.looks(10_000, 60);
        engagement.looks_away(10_000 + 3_600_000, 60);
        assert_eq!(engagement.part(), part(ACTIVE_MILLIS, 60));
    }

    #[test]
    fn a_hidden_page_counts_nothing() {
        let mut engagement = Engagement::new();
        engagement.looks_away(5000, 100);
        engagement.looks_away(9000, 100);
        assert_eq!(engagement.part(), None);
    }

    #[test]
    fn parts_add_up_and_the_depth_is_the_views() {
        let mut engagement = Engagement::new();
        engagement.looks(0, 80);
        engagement.looks(20_000, 80);
        assert!(!engagement.looks(40_000, 30));
        assert!(engagement.looks(60_000, 30));
        assert_eq!(engagement.part(), part(60_000, 80));
        engagement.looks_away(60_500, 30);
        assert_eq!(engagement.part(), part(500, 80));
        assert_eq!(engagement.part(), None, "told once");
    }

    #[test]
    fn what_was_seen_further_down_is_told_however_short_it_was() {
        let mut engagement = Engagement::new();
        engagement.looks(0, 50);
        engagement.looks_away(10, 40);
        assert_eq!(engagement.part(), part(10, 50));
    }

    #[test]
    fn another_page_begins_anew_before_the_same_eyes() {
        let mut engagement = Engagement::new();
        engagement.looks(0, 90);
        engagement.goes_on(1000);
        assert_eq!(engagement.part(), part(1000, 90));
        engagement.turns();
        engagement.looks_away(3000, 20);
        assert_eq!(engagement.part(), part(2000, 20));
        engagement.goes_on(9000);
        assert_eq!(engagement.part(), None, "nobody looked");
    }

    #[test]
    fn a_clock_put_back_counts_nothing() {
        let mut engagement = Engagement::new();
        engagement.looks(100_000, 0);
        engagement.looks_away(1000, 0);
        assert_eq!(engagement.part(), None);
    }
}
