//! The tracker's behaviour, in a browser made of plain values.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::ToString as _;
use alloc::vec::Vec;

use serde_json::Value;
use wire::Event;

use super::*;
use crate::browser::fake::{Effect, FakeBrowser};

const HOME: &str = "https://shop.example/";
const MUG: &str = "https://shop.example/p/1";

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

    fn signal(&mut self, signal: Signal<'_>) {
        self.tracker.handle(signal, &mut self.browser);
    }

    fn custom(&mut self, name: &str) {
        self.signal(Signal::Called { lines: &format!("custom\n{name}\n\n\n") });
    }

    fn hide(&mut self) {
        self.signal(Signal::Hidden { depth: 0 });
    }

    fn push_state(&mut self, url: &str, title: &str) {
        self.browser.go(url, "");
        self.signal(Signal::Navigated { depth: 0 });
        self.browser.go(url, title);
    }

    fn tick_after(&mut self, millis: u64) {
        self.browser.now += millis;
        self.signal(Signal::Ticked);
    }

    /// The events in the queue.
    fn queued(&self) -> Vec<Value> {
        read(&self.browser.queue)
    }

    /// The batches sent and beaconed since the last question, each the list of its events.
    fn sent(&mut self) -> Vec<Vec<Value>> {
        let batches = self.browser.effects.drain(..).filter_map(|effect| match effect {
            Effect::Post(events) | Effect::Beacon(events) => Some(read(&events)),
            Effect::Later(_) => None,
        });
        batches.collect()
    }

    /// What was posted last has come to the collector, or was refused for good.
    fn done(&mut self) {
        let posted = self.tracker.delivery.in_flight.clone();
        self.browser.take_out(&posted);
        self.signal(Signal::Answered { again_millis: 0 });
    }

    fn last_wake(&self) -> Option<u32> {
        self.browser.effects.iter().rev().find_map(|effect| match effect {
            Effect::Later(after_millis) => Some(*after_millis),
            _ => None,
        })
    }
}

fn read(events: &str) -> Vec<Value> {
    events.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn all<'a>(events: &'a [Value], field: &str) -> Vec<&'a str> {
    events.iter().map(|event| event[field].as_str().unwrap_or_default()).collect()
}

#[test]
fn the_first_view_is_sent_in_the_next_task_as_an_event_the_wire_reads() {
    let mut visit = Visit::start();
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
    assert_eq!(event.consent.ads, wire::Choice::Granted);
    for id in [Some(event.id), event.visitor, event.session] {
        assert!(id.is_some_and(|id| id.len() == 36));
    }
    assert_eq!((event.user, event.name, event.properties), (None, None, None));
}

#[test]
fn where_the_machine_stands_still_nobody_looked_before_the_first_view() {
    let mut browser = FakeBrowser::at(HOME);
    browser.slow = 600;
    let mut visit = Visit::start_in(browser);
    assert_eq!(all(&visit.queued(), "type"), ["page_view"]);
    visit.hide();
    assert_eq!(all(&visit.queued(), "type"), ["page_view", "engagement"]);
}

#[test]
fn a_visitor_of_whom_nothing_is_kept_has_no_id() {
    let event = {
        let mut browser = FakeBrowser::at(HOME);
        browser.cookieless = true;
        Visit::start_in(browser).queued().remove(0)
    };
    assert!(event.get("visitor").is_none() && event.get("session").is_none(), "{event}");
}

#[test]
fn a_history_navigation_is_viewed_with_the_title_it_settles_on() {
    let mut visit = Visit::start();
    visit.push_state(MUG, "Mug");
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
    visit.signal(Signal::Viewed);
    assert_eq!(visit.queued().len(), 2);
}

#[test]
fn a_hidden_page_settles_and_gives_everything_to_a_beacon_once() {
    let mut visit = Visit::start();
    visit.push_state(MUG, "Mug");
    visit.hide();
    let sent = visit.sent();
    assert_eq!(sent[0].len(), 2);
    visit.hide();
    assert_eq!(visit.sent(), Vec::<Vec<Value>>::new());
    // Nobody answered, so the next page sends the same again.
    assert_eq!(visit.queued(), sent[0]);
}

#[test]
fn calls_become_events_of_their_kind() {
    let mut visit = Visit::start();
    let calls = [
        "custom\nadd_to_cart\n\n\n{\"sku\":\"m1\",\"price\":18.5}",
        "step\n\ncheckout\nshipping\n",
        "identify\n\n\n\n{\"email\":\"ada@shop.example\"}",
    ];
    for lines in calls {
        visit.signal(Signal::Called { lines });
    }
    let queued = visit.queued();
    assert_eq!(all(&queued, "type"), ["page_view", "custom", "step", "identify"]);
    assert_eq!(all(&queued, "name"), ["", "add_to_cart", "", ""]);
    assert_eq!(queued[1]["properties"]["price"], 18.5);
    let step = (&queued[2]["funnel"], &queued[2]["step"]);
    assert_eq!(step, (&"checkout".into(), &"shipping".into()));
    assert_eq!(queued[3]["properties"]["email"], "ada@shop.example");
    let ids: alloc::collections::BTreeSet<_> = all(&queued, "id").into_iter().collect();
    assert_eq!(ids.len(), 4);
}

#[test]
fn an_order_of_many_products_is_kept_whole() {
    let mut visit = Visit::start();
    let products = "x".repeat(20 * 1024);
    visit.signal(Signal::Called {
        lines: &format!("custom\norder_completed\n\n\n{{\"products\":\"{products}\"}}"),
    });
    visit.tick_after(0);
    assert_eq!(visit.sent()[0][1]["properties"]["products"], products);
}

#[test]
fn of_a_visitor_who_denies_nothing_is_recorded() {
    let mut browser = FakeBrowser::at(HOME);
    browser.allowed = false;
    let mut visit = Visit::start_in(browser);
    visit.custom("purchase");
    visit.push_state(MUG, "Mug");
    visit.signal(Signal::Viewed);
    visit.tick_after(5000);
    visit.hide();
    assert_eq!((visit.sent(), visit.queued()), (Vec::new(), Vec::new()));
}

#[test]
fn who_is_forgotten_begins_anew() {
    let mut visit = Visit::start();
    visit.tick_after(0);
    visit.browser.queue.clear();
    visit.signal(Signal::Forgotten);
    visit.signal(Signal::Answered { again_millis: 0 });
    visit.signal(Signal::Viewed);
    let queued = visit.queued();
    assert_eq!((queued.len(), &queued[0]["referrer"]), (1, &"https://search.example/".into()));
}

#[test]
fn engagement_is_told_of_the_page_that_was_looked_at() {
    let mut visit = Visit::start();
    visit.browser.now += 2000;
    visit.signal(Signal::Active { depth: 40 });
    // What was scrolled since, and not told yet.
    visit.signal(Signal::Navigated { depth: 55 });
    visit.push_state(MUG, "Mug");
    visit.tick_after(100);
    visit.browser.now += 5000;
    visit.signal(Signal::Hidden { depth: 70 });
    let queued = visit.queued();
    assert_eq!(all(&queued, "type"), ["page_view", "engagement", "page_view", "engagement"]);
    assert_eq!(all(&queued, "url"), [HOME, HOME, MUG, MUG]);
    assert_eq!(
        queued[1]["properties"],
        serde_json::json!({"engaged_ms": 2100, "scroll_percent": 55})
    );
    assert_eq!(
        queued[3]["properties"],
        serde_json::json!({"engaged_ms": 5000, "scroll_percent": 70})
    );
    assert_eq!(visit.browser.begins, [true, false, true, false], "a session");
    assert_eq!(visit.sent().concat(), queued, "the last with the beacon");
}

#[test]
fn a_long_visit_tells_its_engagement_in_parts() {
    let mut visit = Visit::start();
    for _ in 0..130 {
        visit.browser.now += 1000;
        visit.signal(Signal::Active { depth: 10 });
    }
    visit.hide();
    let parts = visit.queued().into_iter().filter(|event| event["type"] == "engagement");
    let millis: Vec<_> = parts.map(|part| part["properties"]["engaged_ms"].as_u64()).collect();
    assert_eq!(millis, [Some(60_000), Some(60_000), Some(10_000)]);
}

#[test]
fn a_page_in_a_tab_behind_is_viewed_and_not_looked_at() {
    let mut browser = FakeBrowser::at(HOME);
    browser.visible = false;
    let mut visit = Visit::start_in(browser);
    visit.browser.now += 9000;
    visit.hide();
    assert_eq!(all(&visit.queued(), "type"), ["page_view"]);
}

#[test]
fn events_leave_the_queue_when_they_are_answered_and_only_then() {
    let mut visit = Visit::start();
    visit.tick_after(0);
    assert_eq!(visit.sent().len(), 1);
    assert_eq!(visit.queued().len(), 1);
    assert!(!visit.tracker.is_idle(&visit.browser));
    visit.custom("purchase");
    visit.tick_after(5000);
    assert_eq!(visit.sent(), Vec::<Vec<Value>>::new(), "one batch at a time");
    visit.done();
    assert_eq!(all(&visit.queued(), "name"), ["purchase"]);
    visit.tick_after(1000);
    visit.done();
    assert!(visit.tracker.is_idle(&visit.browser));
}

#[test]
fn a_failed_batch_is_sent_again_later_under_the_same_ids() {
    let mut visit = Visit::start();
    visit.tick_after(0);
    let first = visit.sent();
    for _ in 0..3 {
        visit.signal(Signal::Answered { again_millis: 5000 });
        assert_eq!(visit.last_wake(), Some(5000));
        visit.tick_after(4999);
        assert_eq!(visit.sent(), Vec::<Vec<Value>>::new(), "not before its time");
        visit.tick_after(1);
        assert_eq!(visit.sent()[0], first[0]);
    }
}

#[test]
fn what_another_posted_is_answered_to_whoever_tracks_by_then() {
    // The fallback was late, and has a request on its way.
    let mut visit = Visit::start();
    visit.browser.held = 15_000;
    visit.tick_after(0);
    visit.custom("purchase");
    visit.browser.held = 0;
    visit.signal(Signal::Answered { again_millis: 0 });
    visit.tick_after(1000);
    assert_eq!(all(&visit.sent()[0], "name"), ["", "purchase"]);
}

#[test]
fn nothing_is_sent_while_another_tab_sends_or_the_collector_asked_to_wait() {
    let mut visit = Visit::start();
    visit.browser.held = 4000;
    visit.tick_after(0);
    assert_eq!(visit.last_wake(), Some(4000));
    visit.hide();
    assert_eq!(visit.sent(), Vec::<Vec<Value>>::new());
    visit.browser.held = 0;
    visit.tick_after(4000);
    assert_eq!(visit.sent()[0].len(), 1);
    // What holds now is this tab's own batch.
    visit.browser.held = 15_000;
    visit.custom("purchase");
    visit.hide();
    assert_eq!(all(&visit.sent()[0], "name"), ["purchase"]);
}

#[test]
fn what_another_page_left_is_sent_too() {
    let mut earlier = Visit::start();
    earlier.custom("left");
    let mut visit = Visit::start_in(earlier.browser);
    visit.tick_after(0);
    assert_eq!(all(&visit.sent()[0], "name").to_owned(), ["", "left", ""]);
}
