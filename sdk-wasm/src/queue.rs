//! Events not yet delivered, one JSON object a line, shared by the tabs of a site.
//!
//! Every change reads what is stored and writes it back: another tab may have added or delivered
//! events since. What is delivered the loader takes out (loader/host.js), for the fallback too. An event that two tabs send has one id, and the collector keeps one of it.
//! Lines stay the text they are stored as: a list of them would be the larger half of this file.

use alloc::string::String;

use wire::Kind;

use crate::browser::Browser;
use crate::config::{BATCH_BYTES_MAX, QUEUE_EVENTS_MAX};
use crate::lines::Lines;

/// Where an event has its kind: behind `{"id":"`, 36 characters and `","type":"`.
const KIND_AT: usize = 53;

/// Adds an event. When the queue is full the oldest of engagement gives way, or else the oldest.
pub(crate) fn push(event: &str, browser: &mut impl Browser) {
    let mut events = browser.queue();
    let (mut count, mut spare) = (0, Lines(&events).next());
    let mut rest = Lines(&events);
    while !rest.0.is_empty() {
        let line = rest.next();
        count += 1;
        if is_engagement(line) && !is_engagement(spare) {
            spare = line;
        }
    }
    if count >= QUEUE_EVENTS_MAX {
        events = kept(&events, |line| line != spare);
    }
    push_line(&mut events, event);
    browser.set_queue(&events);
}

/// The oldest events that fit one batch, without those in `sent` and `beaconed`. One that fits none (another
/// script may have written it) is left where it is, and keeps no other.
pub(crate) fn batch(browser: &impl Browser, sent: &str, beaconed: &str) -> String {
    let mut bytes = 0;
    kept(&browser.queue(), |line| {
        let fits = bytes + line.len() < BATCH_BYTES_MAX && !has(sent, line) && !has(beaconed, line);
        if fits {
            bytes += line.len() + 1;
        }
        fits
    })
}

/// Adds an event to a text that has one a line.
pub(crate) fn push_line(events: &mut String, event: &str) {
    if !events.is_empty() {
        events.push_str("\n");
    }
    events.push_str(event);
}

fn is_engagement(event: &str) -> bool {
    event.get(KIND_AT..).is_some_and(|kind| kind.starts_with(Kind::Engagement.as_str()))
}

fn has(events: &str, event: &str) -> bool {
    let mut rest = Lines(events);
    while !rest.0.is_empty() {
        if rest.next() == event {
            return true;
        }
    }
    false
}

fn kept(events: &str, mut keep: impl FnMut(&str) -> bool) -> String {
    let mut kept = String::new();
    let mut rest = Lines(events);
    while !rest.0.is_empty() {
        let line = rest.next();
        if keep(line) {
            push_line(&mut kept, line);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec::Vec;

    use super::*;
    use crate::browser::Storage as _;
    use crate::browser::fake::FakeBrowser;

    fn browser() -> FakeBrowser {
        FakeBrowser::at("https://shop.example/")
    }

    fn event(kind: Kind, number: usize) -> String {
        format!(r#"{{"id":"{number:036}","type":"{}","at":1}}"#, kind.as_str())
    }

    fn view(number: usize) -> String {
        event(Kind::PageView, number)
    }

    #[test]
    fn the_oldest_gives_way_when_the_queue_is_full() {
        let mut browser = browser();
        for number in 0..QUEUE_EVENTS_MAX + 3 {
            push(&view(number), &mut browser);
        }
        let expected: Vec<_> = (3..QUEUE_EVENTS_MAX + 3).map(view).collect();
        assert_eq!(browser.queue().lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn engagement_gives_way_first() {
        let mut browser = browser();
        let is_engagement = |number| matches!(number, 5 | 7);
        let event = |number| {
            if is_engagement(number) { event(Kind::Engagement, number) } else { view(number) }
        };
        for number in 0..QUEUE_EVENTS_MAX + 3 {
            push(&event(number), &mut browser);
        }
        let left = (1..QUEUE_EVENTS_MAX + 3).filter(|number| !is_engagement(*number));
        assert_eq!(
            browser.queue().lines().collect::<Vec<_>>(),
            left.map(event).collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_batch_keeps_below_what_a_browser_sends_from_a_closing_page() {
        let mut browser = browser();
        let event = |number| format!(r#"{{"{number}":"{}"}}"#, "x".repeat(20_000));
        push(&"x".repeat(BATCH_BYTES_MAX), &mut browser);
        (0..5).for_each(|number| push(&event(number), &mut browser));
        let first = batch(&browser, "", "");
        assert_eq!(first.lines().collect::<Vec<_>>(), [event(0), event(1), event(2)]);
        assert!(first.len() < BATCH_BYTES_MAX);
        browser.take_out(&first);
        assert_eq!(batch(&browser, "", "").lines().collect::<Vec<_>>(), [event(3), event(4)]);
    }

    #[test]
    fn a_batch_has_nothing_that_is_on_its_way() {
        let mut browser = browser();
        push(&view(1), &mut browser);
        push(&view(2), &mut browser);
        assert_eq!(batch(&browser, "", ""), [view(1), view(2)].join("\n"));
        assert_eq!(batch(&browser, &view(1), ""), view(2));
        assert_eq!(batch(&browser, &view(2), &view(1)), "");
    }
}
