//! The tracker's behaviour, in a browser made of plain values.

use alloc::borrow::ToOwned as _;
use alloc::string::ToString as _;
use alloc::vec::Vec;

use serde_json::Value;
use wire::Event;

use super::*;
use crate::browser::Storage as _;
use crate::browser::fake::{Effect, FakeBrowser};
use crate::session::INACTIVITY_MILLIS;

const HOME: &str = "https://shop.example/";

/// A page with its tracker, and all that left it.
struct Visit {
    tracker: Tracker,
    browser: FakeBrowser,
}

impl Visit {
    fn start() -> Self {
        Self::start_in(FakeBrowser::at(HOME))
    }

    fn start_in(browser: FakeBrowser) -> Self {
        let mut visit = Self { tracker: Tracker::default(), browser };
        visit.signal(Signal::Started { viewed: false });
        visit
    }

    fn signal(&mut self, signal: Signal) {
        self.tracker.handle(signal, &mut self.browser);
    }

    fn call(&mut self, texts: &[&str], json: &str) {
        let text = |index: usize| texts.get(index).copied().unwrap_or_default();
        let call = Call { name: text(0), first: text(1), second: text(2), json };
        self.tracker.call(call, &mut self.browser);
    }

    /// As the loader keeps it: nothing but the denial stays.
    fn consent(&mut self, answers: &str) {
        if answers.starts_with("denied") {
            self.browser.stored.clear();
            self.signal(Signal::Forgotten);
        }
        self.browser.set("consent", answers);
    }

    fn push_state(&mut self, url: &str, title: &str) {
        self.browser.go(url, "");
        self.signal(Signal::Navigated { replaced: false });
        self.browser.go(url, title);
    }

    fn tick_after(&mut self, millis: u64) {
        self.browser.now += millis;
        self.signal(Signal::Ticked);
    }

    /// The events in the queue.
    fn queued(&self) -> Vec<Value> {
        let events = queue::batch(&self.browser, "", "");
        read(&events)
    }

    /// The batches sent and beaconed since the last question, each the list of its events.
    fn sent(&mut self) -> Vec<Vec<Value>> {
        let batches = self.browser.effects.drain(..).filter_map(|effect| match effect {
            Effect::Post(events) | Effect::Beacon(events) => Some(read(&events)),
            Effect::Later(_) | Effect::LeftOut(_) => None,
        });
        batches.collect()
    }

    fn left_out(&self) -> Vec<Refusal> {
        let left_out = self.browser.effects.iter().filter_map(|effect| match effect {
            Effect::LeftOut(refusal) => Some(*refusal),
            _ => None,
        });
        left_out.collect()
    }

    fn last_wake(&self) -> Option<u32> {
        self.browser.effects.iter().rev().find_map(|effect| match effect {
            Effect::Later(after_millis) => Some(*after_millis),
            _ => None,
        })
    }
}

fn read(events: &str) -> Vec<Value> {
    queue::lines(events).map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn all<'a>(events: &'a [Value], field: &str) -> Vec<&'a str> {
    events.iter().map(|event| event[field].as_str().unwrap_or_default()).collect()
}

#[test]
fn the_first_view_is_sent_in_the_next_task_as_an_event_the_wire_reads() {
    let mut browser = FakeBrowser::at(HOME);
    browser.open(HOME, "Tea/Pots", "https://search.example/", "Home");
    let mut visit = Visit::start_in(browser);
    assert_eq!(visit.last_wake(), Some(0));
    visit.tick_after(0);
    let sent = visit.sent();
    let text = sent[0][0].to_string();
    let event: Event<'_, Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(event.at, visit.browser.now);
    assert_eq!(Kind::from_name(&event.kind), Some(Kind::PageView));
    assert_eq!(event.url.as_deref(), Some(HOME));
    assert_eq!(event.title.as_deref(), Some("Home"));
    assert_eq!(event.referrer.as_deref(), Some("https://search.example/"));
    assert_eq!(event.categories, ["Tea".into(), "Tea/Pots".into()]);
    assert!(crate::id::is_id(&event.id));
    assert!(crate::id::is_id(event.visitor.as_deref().unwrap()));
    assert!(crate::id::is_id(event.session.as_deref().unwrap()));
}

#[test]
fn a_history_navigation_is_viewed_with_the_title_it_settles_on() {
    let mut visit = Visit::start();
    visit.push_state("https://shop.example/p/1", "Mug");
    assert_eq!(visit.queued().len(), 1);
    visit.tick_after(100);
    let queued = visit.queued();
    assert_eq!(all(&queued, "title"), ["Home", "Mug"]);
    assert_eq!(queued[1]["referrer"], HOME);
}

#[test]
fn the_same_address_is_viewed_once_and_a_manual_view_always() {
    let mut visit = Visit::start();
    visit.push_state(HOME, "Home");
    visit.tick_after(100);
    assert_eq!(visit.queued().len(), 1);
    visit.call(&["page"], "");
    assert_eq!(visit.queued().len(), 2);
}

#[test]
fn a_hidden_page_settles_and_gives_everything_to_a_beacon_once() {
    let mut visit = Visit::start();
    visit.push_state("https://shop.example/p/1", "Mug");
    visit.signal(Signal::Hidden);
    let sent = visit.sent();
    assert_eq!(sent[0].len(), 2);
    visit.signal(Signal::Hidden);
    assert_eq!(visit.sent(), Vec::<Vec<Value>>::new());
    // Nobody answered, so the next page sends the same again.
    assert_eq!(visit.queued(), sent[0]);
}

#[test]
fn calls_become_events_of_their_kind() {
    let mut visit = Visit::start();
    visit.call(&["add_to_cart"], r#"{"sku":"m1","price":18.5}"#);
    visit.call(&["step", "checkout", "shipping"], "");
    visit.call(&["identify", "ada"], r#"{"email":"ada@shop.example"}"#);
    visit.call(&["purchase"], "");
    let queued = visit.queued();
    assert_eq!(all(&queued, "type"), ["page_view", "custom", "step", "identify", "custom"]);
    assert_eq!(queued[1]["properties"]["price"], 18.5);
    assert_eq!(
        (&queued[2]["funnel"], &queued[2]["step"]),
        (&"checkout".into(), &"shipping".into())
    );
    assert_eq!(all(&queued, "user"), ["", "", "", "ada", "ada"]);
    let ids: alloc::collections::BTreeSet<_> = all(&queued, "id").into_iter().collect();
    assert_eq!(ids.len(), 5);
}

#[test]
fn a_call_that_lacks_something_is_said_and_left_out() {
    let mut visit = Visit::start();
    visit.call(&[], "");
    visit.call(&["step", "checkout"], "");
    visit.call(&["identify", &"x".repeat(USER_BYTES_MAX + 1)], "");
    let refusals = [Refusal::NoName, Refusal::NoStep, Refusal::NoUser];
    assert_eq!(visit.left_out(), refusals);
    assert_eq!(visit.queued().len(), 1);
}

#[test]
fn consent_rides_on_every_event() {
    let mut visit = Visit::start();
    visit.consent("unknown unknown granted");
    visit.call(&["purchase"], "");
    let queued = visit.queued();
    let ads: Vec<_> = queued.iter().map(|event| &event["consent"]["ads"]).collect();
    assert_eq!(ads, ["unknown", "granted"]);
}

#[test]
fn a_visitor_who_denies_analytics_is_forgotten_and_nothing_more_is_kept_or_sent() {
    let mut visit = Visit::start();
    visit.call(&["identify", "ada"], "");
    visit.consent("denied unknown unknown");
    visit.call(&["purchase"], "");
    visit.call(&["identify", "ada"], "");
    visit.push_state("https://shop.example/p/1", "Mug");
    visit.signal(Signal::Shown);
    visit.tick_after(5000);
    visit.signal(Signal::Hidden);
    assert_eq!(visit.sent(), Vec::<Vec<Value>>::new());
    let keys: Vec<_> = visit.browser.stored.keys().collect();
    assert_eq!(keys, ["consent"]);
    // The next page load knows.
    let mut next = Visit::start_in(visit.browser);
    next.tick_after(0);
    assert_eq!(next.sent(), Vec::<Vec<Value>>::new());
}

#[test]
fn a_visitor_who_comes_round_is_another() {
    let mut visit = Visit::start();
    let before = visit.queued()[0]["visitor"].clone();
    visit.consent("denied unknown unknown");
    visit.consent("granted unknown unknown");
    visit.call(&["page"], "");
    let queued = visit.queued();
    assert_eq!(all(&queued, "type"), ["page_view"]);
    assert_ne!(queued[0]["visitor"], before);
}

#[test]
fn another_tab_that_denied_is_heard() {
    let mut visit = Visit::start();
    visit.browser.stored.clear();
    visit.browser.set("consent", "denied unknown unknown");
    visit.call(&["purchase"], "");
    visit.tick_after(0);
    assert_eq!(visit.sent(), Vec::<Vec<Value>>::new());
}

#[test]
fn events_leave_the_queue_when_they_are_answered_and_only_then() {
    let mut visit = Visit::start();
    visit.tick_after(0);
    assert_eq!(visit.sent().len(), 1);
    assert_eq!(visit.queued().len(), 1);
    assert!(!visit.tracker.is_idle(&visit.browser));
    visit.call(&["purchase"], "");
    visit.tick_after(5000);
    assert_eq!(visit.sent(), Vec::<Vec<Value>>::new(), "one batch at a time");
    visit.signal(Signal::Answered { status: 202 });
    assert_eq!(all(&visit.queued(), "name"), ["purchase"]);
    visit.tick_after(1000);
    visit.signal(Signal::Answered { status: 202 });
    assert!(visit.tracker.is_idle(&visit.browser));
}

#[test]
fn a_failed_batch_is_sent_again_later_under_the_same_ids() {
    let mut visit = Visit::start();
    visit.tick_after(0);
    let first = visit.sent();
    for status in [0, 503, 429] {
        visit.signal(Signal::Answered { status });
        let wait = visit.last_wake().unwrap();
        assert!(wait >= 500, "{wait}");
        visit.tick_after(u64::from(wait) - 1);
        assert_eq!(visit.sent(), Vec::<Vec<Value>>::new(), "not before its time");
        visit.tick_after(1);
        assert_eq!(visit.sent()[0], first[0]);
    }
}

#[test]
fn a_refused_batch_is_left_out_and_said() {
    let mut visit = Visit::start();
    visit.tick_after(0);
    visit.signal(Signal::Answered { status: 403 });
    assert_eq!(visit.left_out(), [Refusal::Rejected]);
    assert!(visit.tracker.is_idle(&visit.browser));
}

#[test]
fn a_damaged_line_in_the_queue_costs_only_itself() {
    let mut browser = FakeBrowser::at(HOME);
    browser.set("queue", "nonsense\n{\"id\":\n5");
    let mut visit = Visit::start_in(browser);
    visit.tick_after(0);
    let sent = visit.sent();
    assert_eq!(sent[0].len(), 1);
    assert_eq!(visit.queued().len(), 1);
}

#[test]
fn a_visitor_keeps_the_id_over_pages_and_gets_another_session_after_a_pause() {
    let mut visit = Visit::start();
    let first = visit.queued().remove(0);
    visit.browser.now += INACTIVITY_MILLIS + 1;
    let next = Visit::start_in(visit.browser);
    let second = next.queued().remove(1);
    assert_eq!(first["visitor"], second["visitor"]);
    assert_ne!(first["session"], second["session"]);
}

#[test]
fn long_texts_are_cut_at_a_characters_end() {
    let mut browser = FakeBrowser::at(HOME);
    browser.go(HOME, &"ž".repeat(NAME_BYTES_MAX));
    let visit = Visit::start_in(browser);
    let title = visit.queued()[0]["title"].as_str().unwrap().to_owned();
    assert_eq!(title.len(), NAME_BYTES_MAX);
}
