//! Events not yet delivered, one JSON object a line, shared by the tabs of a site.
//!
//! Every change reads what is stored and writes it back: another tab may have added or delivered
//! events since. An event that two tabs send has one id, and the collector keeps one of it.
//! Lines stay the text they are stored as: a list of them would be the larger half of this file.

use alloc::string::String;

use crate::browser::{Browser, Storage};
use crate::config::{BATCH_BYTES_MAX, EVENT_BYTES_MAX, QUEUE_EVENTS_MAX};
use crate::cut::cut;
use crate::error::Refusal;

const QUEUE: &str = "queue";

/// Adds an event. The oldest gives way when the queue is full.
pub(crate) fn push(event: &str, storage: &mut impl Storage) -> Result<(), Refusal> {
    if event.len() > EVENT_BYTES_MAX {
        return Err(Refusal::TooLarge);
    }
    let stored = stored(storage);
    let is_full = lines(&stored).count() >= QUEUE_EVENTS_MAX;
    let mut events = String::from(if is_full { cut(&stored, b'\n').1 } else { &stored });
    push_line(&mut events, event);
    storage.set(QUEUE, &events);
    Ok(())
}

/// The oldest events that fit one batch, without those in `sent` and `beaconed`, and without what is
/// no event: something else wrote there, and one such line would cost its batch.
pub(crate) fn batch(browser: &impl Browser, sent: &str, beaconed: &str) -> String {
    let mut bytes = 0;
    kept(&stored(browser), |line| {
        let wanted = line.starts_with('{')
            && !has(sent, line)
            && !has(beaconed, line)
            && browser.is_json(line);
        if wanted {
            bytes += line.len() + 1;
        }
        wanted && bytes <= BATCH_BYTES_MAX
    })
}

/// Takes out events that are delivered, or never will be.
pub(crate) fn remove(events: &str, storage: &mut impl Storage) {
    let left = kept(&stored(storage), |event| !has(events, event));
    if left.is_empty() {
        storage.remove(QUEUE);
    } else {
        storage.set(QUEUE, &left);
    }
}

/// Whether there is nothing to deliver.
pub(crate) fn is_empty(storage: &impl Storage) -> bool {
    stored(storage).is_empty()
}

/// The events of a text, one a line.
pub(crate) fn lines(events: &str) -> impl Iterator<Item = &str> {
    let mut rest = events;
    core::iter::from_fn(move || {
        let (line, after) = cut(rest, b'\n');
        rest = after;
        Some(line).filter(|line| !line.is_empty())
    })
}

/// Adds an event to a text that has one a line.
pub(crate) fn push_line(events: &mut String, event: &str) {
    if !events.is_empty() {
        events.push_str("\n");
    }
    events.push_str(event);
}

fn has(events: &str, event: &str) -> bool {
    lines(events).any(|line| line == event)
}

fn kept(events: &str, mut keep: impl FnMut(&str) -> bool) -> String {
    let mut kept = String::new();
    for line in lines(events) {
        if keep(line) {
            push_line(&mut kept, line);
        }
    }
    kept
}

fn stored(storage: &impl Storage) -> String {
    storage.get(QUEUE)
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use crate::browser::fake::FakeBrowser;

    fn event(number: usize) -> String {
        format!(r#"{{"id":"{number}"}}"#)
    }

    #[test]
    fn the_oldest_gives_way_when_the_queue_is_full() {
        let mut browser = FakeBrowser::default();
        for number in 0..QUEUE_EVENTS_MAX + 3 {
            push(&event(number), &mut browser).unwrap();
        }
        let kept = stored(&browser);
        assert_eq!(lines(&kept).count(), QUEUE_EVENTS_MAX);
        assert_eq!(lines(&kept).next(), Some(event(3).as_str()));
        assert_eq!(lines(&kept).last(), Some(event(QUEUE_EVENTS_MAX + 2).as_str()));
    }

    #[test]
    fn an_event_too_large_is_left_out() {
        let mut browser = FakeBrowser::default();
        let long = "x".repeat(EVENT_BYTES_MAX + 1);
        assert_eq!(push(&long, &mut browser), Err(Refusal::TooLarge));
        assert!(is_empty(&browser));
    }

    #[test]
    fn a_batch_keeps_below_what_a_browser_sends_from_a_closing_page() {
        let mut browser = FakeBrowser::default();
        for number in 0..10 {
            let event = format!(r#"{{"{number}":"{}"}}"#, "x".repeat(EVENT_BYTES_MAX - 8));
            push(&event, &mut browser).unwrap();
        }
        let first = batch(&browser, "", "");
        let count = lines(&first).count();
        assert_eq!(count, BATCH_BYTES_MAX / (EVENT_BYTES_MAX + 1));
        remove(&first, &mut browser);
        assert!(batch(&browser, "", "").starts_with(&format!(r#"{{"{count}""#)));
    }

    #[test]
    fn only_what_was_delivered_is_taken_out() {
        let mut browser = FakeBrowser::default();
        push(&event(1), &mut browser).unwrap();
        let sent = batch(&browser, "", "");
        push(&event(2), &mut browser).unwrap();
        remove(&sent, &mut browser);
        assert_eq!(batch(&browser, "", ""), event(2));
        assert_eq!(batch(&browser, &event(2), ""), "");
    }

    #[test]
    fn an_emptied_queue_leaves_no_key_behind() {
        let mut browser = FakeBrowser::default();
        push(&event(1), &mut browser).unwrap();
        remove(&event(1), &mut browser);
        assert!(browser.stored.is_empty());
    }
}
