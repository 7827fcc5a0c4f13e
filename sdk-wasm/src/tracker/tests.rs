//! The tracker's behaviour, in a browser made of plain values.

use serde_json::Value;

use super::*;
use crate::browser::Storage as _;
use crate::browser::fake::FakeBrowser;
use crate::session::INACTIVITY_MILLIS;

const HOME: &str = "https://shop.example/";

/// A page with its tracker, and all that left it.
struct Visit {
    tracker: Tracker,
    browser: FakeBrowser,
    effects: Vec<Effect>,
}

impl Visit {
    fn start() -> Self {
        Self::start_in(FakeBrowser::at(HOME))
    }

    fn start_in(browser: FakeBrowser) -> Self {
        let config = Config::new("shop".into(), "https://c.example", true, Default::default());
        let mut visit = Self { tracker: Tracker::new(config), browser, effects: Vec::new() };
        visit.signal(Signal::Started);
        visit
    }

    fn signal(&mut self, signal: Signal) {
        self.effects.extend(self.tracker.handle(signal, &mut self.browser));
    }

    fn call(&mut self, texts: &[&str], json: Option<&str>) {
        let texts = texts.iter().map(|text| (*text).into()).collect();
        self.signal(Signal::Command(Command::parse(texts, json.map(Into::into))));
    }

    fn consent(&mut self, analytics: Option<&str>, ads: Option<&str>) {
        let change = Change::parse(analytics, None, ads);
        self.signal(Signal::Command(change.map(Command::Consent)));
    }

    fn push_state(&mut self, url: &str, title: &str) {
        self.browser.go(url, "");
        self.signal(Signal::Navigated { replaced: false });
        self.browser.page.title = title.into();
    }

    fn tick_after(&mut self, millis: u64) {
        self.browser.now += millis;
        self.signal(Signal::Ticked);
    }

    /// The events in the queue.
    fn queued(&self) -> Vec<Value> {
        let lines = queue::batch(&self.browser, &[]);
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The batches sent and beaconed since the last question.
    fn sent(&mut self) -> Vec<Value> {
        let batches = self.effects.drain(..).filter_map(|effect| match effect {
            Effect::Send { url, body } | Effect::Beacon { url, body } => {
                assert_eq!(url, "https://c.example/v1/events");
                Some(serde_json::from_str(&body).unwrap())
            }
            Effect::Wake { .. } | Effect::Say(_) => None,
        });
        batches.collect()
    }

    fn said(&self) -> Vec<&str> {
        let said = self.effects.iter().filter_map(|effect| match effect {
            Effect::Say(text) => Some(text.as_str()),
            _ => None,
        });
        said.collect()
    }

    fn last_wake(&self) -> Option<u32> {
        self.effects.iter().rev().find_map(|effect| match effect {
            Effect::Wake { after_millis } => Some(*after_millis),
            _ => None,
        })
    }
}

fn all<'a>(events: &'a [Value], field: &str) -> Vec<&'a str> {
    events.iter().map(|event| event[field].as_str().unwrap_or_default()).collect()
}

#[test]
fn the_first_view_is_sent_in_the_next_task_as_a_batch_the_wire_reads() {
    let mut browser = FakeBrowser::at(HOME);
    browser.page.category = "Tea/Pots".into();
    browser.page.referrer = "https://search.example/".into();
    let mut visit = Visit::start_in(browser);
    assert_eq!(visit.last_wake(), Some(0));
    visit.tick_after(0);
    let sent = visit.sent();
    let text = sent[0].to_string();
    let batch: Batch<'_, Event<'_, Value>> = serde_json::from_str(&text).unwrap();
    assert_eq!((batch.site.as_str(), batch.sent_at), ("shop", visit.browser.now));
    let event = &batch.events[0];
    assert_eq!(Kind::from_name(&event.kind), Some(Kind::PageView));
    assert_eq!(event.url.as_deref(), Some(HOME));
    assert_eq!(event.title.as_deref(), Some("Home"));
    assert_eq!(event.referrer.as_deref(), Some("https://search.example/"));
    assert_eq!(event.categories, ["Tea".into(), "Tea/Pots".into()]);
    assert!(id::is_id(&event.id));
    assert!(id::is_id(event.visitor.as_deref().unwrap()));
    assert!(id::is_id(event.session.as_deref().unwrap()));
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
    visit.call(&["page"], None);
    assert_eq!(visit.queued().len(), 2);
}

#[test]
fn a_hidden_page_settles_and_gives_everything_to_a_beacon_once() {
    let mut visit = Visit::start();
    visit.push_state("https://shop.example/p/1", "Mug");
    visit.signal(Signal::Hidden);
    let sent = visit.sent();
    assert_eq!(sent[0]["events"].as_array().map(Vec::len), Some(2));
    visit.signal(Signal::Hidden);
    assert_eq!(visit.sent(), Vec::<Value>::new());
    // Nobody answered, so the next page sends the same again.
    assert_eq!(visit.queued(), *sent[0]["events"].as_array().unwrap());
}

#[test]
fn calls_become_events_of_their_kind() {
    let mut visit = Visit::start();
    visit.call(&["add_to_cart"], Some(r#"{"sku":"m1","price":18.5}"#));
    visit.call(&["step", "checkout", "shipping"], None);
    visit.call(&["identify", "ada"], Some(r#"{"email":"ada@shop.example"}"#));
    visit.call(&["purchase"], None);
    let queued = visit.queued();
    assert_eq!(all(&queued, "type"), ["page_view", "custom", "step", "identify", "custom"]);
    assert_eq!(queued[1]["properties"]["price"], 18.5);
    assert_eq!(
        (&queued[2]["funnel"], &queued[2]["step"]),
        (&"checkout".into(), &"shipping".into())
    );
    assert_eq!(all(&queued, "user"), ["", "", "", "ada", "ada"]);
    let ids: std::collections::BTreeSet<_> = all(&queued, "id").into_iter().collect();
    assert_eq!(ids.len(), 5);
}

#[test]
fn a_call_that_lacks_something_is_said_and_left_out() {
    let mut visit = Visit::start();
    visit.call(&[], None);
    visit.call(&["step", "checkout"], None);
    visit.call(&["identify", &"x".repeat(USER_BYTES_MAX + 1)], None);
    visit.call(&["broken"], Some("{"));
    visit.consent(None, Some("maybe"));
    let refusals = [
        Refusal::NoName,
        Refusal::NoStep,
        Refusal::NoUser,
        Refusal::NotJson,
        Refusal::UnknownChoice,
    ];
    assert_eq!(visit.said(), refusals.map(|refusal| refusal.to_string()));
    assert_eq!(visit.queued().len(), 1);
}

#[test]
fn consent_rides_on_every_event_and_a_change_is_told() {
    let mut visit = Visit::start();
    visit.consent(None, Some("granted"));
    visit.consent(None, Some("granted"));
    visit.call(&["purchase"], None);
    let queued = visit.queued();
    assert_eq!(all(&queued, "name"), ["", "consent", "purchase"]);
    let ads: Vec<_> = queued.iter().map(|event| &event["consent"]["ads"]).collect();
    assert_eq!(ads, ["unknown", "granted", "granted"]);
}

#[test]
fn a_visitor_who_denies_analytics_is_forgotten_and_nothing_more_is_kept_or_sent() {
    let mut visit = Visit::start();
    visit.call(&["identify", "ada"], None);
    visit.consent(Some("denied"), None);
    visit.call(&["purchase"], None);
    visit.call(&["identify", "ada"], None);
    visit.push_state("https://shop.example/p/1", "Mug");
    visit.signal(Signal::Shown);
    visit.tick_after(5000);
    visit.signal(Signal::Hidden);
    assert_eq!(visit.sent(), Vec::<Value>::new());
    let keys: Vec<_> = visit.browser.stored.keys().collect();
    assert_eq!(keys, ["consent"]);
    // The next page load knows.
    let mut next = Visit::start_in(visit.browser);
    next.tick_after(0);
    assert_eq!(next.sent(), Vec::<Value>::new());
}

#[test]
fn a_visitor_who_denies_everything_takes_ads_consent_back_first() {
    let mut visit = Visit::start();
    visit.consent(None, Some("granted"));
    visit.tick_after(0);
    visit.signal(Signal::Answered { status: 202 });
    let visitor = visit.sent()[0]["events"][0]["visitor"].clone();
    visit.consent(Some("denied"), Some("denied"));
    let sent = visit.sent();
    assert_eq!(sent.len(), 1);
    let events = sent[0]["events"].as_array().unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!((&events[0]["name"], &events[0]["visitor"]), (&"consent".into(), &visitor));
    assert_eq!(events[0]["consent"]["ads"], "denied");
    visit.tick_after(5000);
    visit.signal(Signal::Hidden);
    assert_eq!(visit.sent(), Vec::<Value>::new());
    assert_eq!(visit.browser.stored.keys().collect::<Vec<_>>(), ["consent"]);
}

#[test]
fn a_visitor_who_comes_round_is_measured_from_the_page_they_are_on() {
    let mut visit = Visit::start();
    let before = visit.queued()[0]["visitor"].clone();
    visit.consent(Some("denied"), None);
    visit.consent(Some("granted"), None);
    let queued = visit.queued();
    assert_eq!(all(&queued, "type"), ["page_view", "custom"]);
    assert_ne!(queued[0]["visitor"], before);
}

#[test]
fn another_tab_that_denied_is_heard() {
    let mut visit = Visit::start();
    visit.browser.stored.clear();
    visit.browser.set("consent", "denied unknown unknown");
    visit.call(&["purchase"], None);
    visit.tick_after(0);
    assert_eq!(visit.sent(), Vec::<Value>::new());
}

#[test]
fn events_leave_the_queue_when_they_are_answered_and_only_then() {
    let mut visit = Visit::start();
    visit.tick_after(0);
    assert_eq!(visit.sent().len(), 1);
    assert_eq!(visit.queued().len(), 1);
    assert!(!visit.tracker.is_idle(&visit.browser));
    visit.call(&["purchase"], None);
    visit.tick_after(5000);
    assert_eq!(visit.sent(), Vec::<Value>::new(), "one batch at a time");
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
        assert_eq!(visit.sent(), Vec::<Value>::new(), "not before its time");
        visit.tick_after(1);
        assert_eq!(visit.sent()[0]["events"], first[0]["events"]);
    }
}

#[test]
fn a_refused_batch_is_left_out_and_said() {
    let mut visit = Visit::start();
    visit.tick_after(0);
    visit.signal(Signal::Answered { status: 403 });
    assert_eq!(visit.said(), [Refusal::Rejected(403).to_string()]);
    assert!(visit.tracker.is_idle(&visit.browser));
}

#[test]
fn a_damaged_line_in_the_queue_costs_only_itself() {
    let mut browser = FakeBrowser::at(HOME);
    browser.set("queue", "nonsense\n{\"id\":\n5");
    let mut visit = Visit::start_in(browser);
    visit.tick_after(0);
    let sent = visit.sent();
    assert_eq!(sent[0]["events"].as_array().map(Vec::len), Some(1));
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
    browser.page.title = "ž".repeat(NAME_BYTES_MAX);
    let visit = Visit::start_in(browser);
    let title = visit.queued()[0]["title"].as_str().unwrap().to_owned();
    assert_eq!(title.len(), NAME_BYTES_MAX);
}
