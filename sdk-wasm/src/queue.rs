//! Events not yet delivered, one JSON object a line, shared by the tabs of a site.
//!
//! Every change reads what is stored and writes it back: another tab may have added or delivered
//! events since. An event that two tabs send has one id, and the collector keeps one of it.

use crate::browser::Storage;
use crate::config::{BATCH_BYTES_MAX, EVENT_BYTES_MAX, QUEUE_EVENTS_MAX};
use crate::error::Refusal;

const QUEUE: &str = "queue";

/// Adds an event. The oldest gives way when the queue is full.
pub(crate) fn push(event: &str, storage: &mut (impl Storage + ?Sized)) -> Result<(), Refusal> {
    if event.len() > EVENT_BYTES_MAX {
        return Err(Refusal::TooLarge);
    }
    let mut events = all(storage);
    events.push(event.into());
    let surplus = events.len().saturating_sub(QUEUE_EVENTS_MAX);
    store(events.get(surplus..).unwrap_or_default(), storage);
    Ok(())
}

/// The oldest events that fit one batch, without those in `except`.
pub(crate) fn batch(storage: &(impl Storage + ?Sized), except: &[String]) -> Vec<String> {
    let mut bytes = 0;
    let mut events = all(storage);
    events.retain(|event| !except.contains(event));
    let fitting = events.iter().take_while(|event| {
        bytes += event.len() + 1;
        bytes <= BATCH_BYTES_MAX
    });
    let count = fitting.count();
    events.truncate(count);
    events
}

/// Takes out events that are delivered, or never will be.
pub(crate) fn remove(events: &[String], storage: &mut (impl Storage + ?Sized)) {
    let mut left = all(storage);
    left.retain(|event| !events.contains(event));
    store(&left, storage);
}

/// Whether there is nothing to deliver.
pub(crate) fn is_empty(storage: &(impl Storage + ?Sized)) -> bool {
    storage.get(QUEUE).is_none_or(|stored| stored.is_empty())
}

/// Forgets every event.
pub(crate) fn clear(storage: &mut (impl Storage + ?Sized)) {
    storage.remove(QUEUE);
}

fn all(storage: &(impl Storage + ?Sized)) -> Vec<String> {
    let stored = storage.get(QUEUE).unwrap_or_default();
    stored.lines().filter(|line| line.len() <= EVENT_BYTES_MAX).map(Into::into).collect()
}

fn store(events: &[String], storage: &mut (impl Storage + ?Sized)) {
    if events.is_empty() {
        storage.remove(QUEUE);
    } else {
        storage.set(QUEUE, &events.join("\n"));
    }
}

#[cfg(test)]
mod tests {
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
        let kept = all(&browser);
        assert_eq!(kept.len(), QUEUE_EVENTS_MAX);
        assert_eq!(kept.first(), Some(&event(3)));
        assert_eq!(kept.last(), Some(&event(QUEUE_EVENTS_MAX + 2)));
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
            let event = format!("{number}{}", "x".repeat(EVENT_BYTES_MAX - 1));
            push(&event, &mut browser).unwrap();
        }
        let first = batch(&browser, &[]);
        assert_eq!(first.len(), BATCH_BYTES_MAX / (EVENT_BYTES_MAX + 1));
        remove(&first, &mut browser);
        assert!(batch(&browser, &[])[0].starts_with(&first.len().to_string()));
    }

    #[test]
    fn only_what_was_delivered_is_taken_out() {
        let mut browser = FakeBrowser::default();
        push(&event(1), &mut browser).unwrap();
        let sent = batch(&browser, &[]);
        push(&event(2), &mut browser).unwrap();
        remove(&sent, &mut browser);
        assert_eq!(batch(&browser, &[]), [event(2)]);
        assert_eq!(batch(&browser, &[event(2)]), Vec::<String>::new());
    }

    #[test]
    fn an_emptied_queue_leaves_no_key_behind() {
        let mut browser = FakeBrowser::default();
        push(&event(1), &mut browser).unwrap();
        remove(&[event(1)], &mut browser);
        assert!(browser.stored.is_empty());
    }
}
