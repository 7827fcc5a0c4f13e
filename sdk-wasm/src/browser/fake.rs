//! A browser made of plain values, for tests of the tracker without one.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::browser::{Clock, Outside, Scene, Storage};
use crate::capture::page::Page;
use crate::error::Refusal;

/// What the tracker did in the browser.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Post(String),
    Beacon(String),
    Later(u32),
    LeftOut(Refusal),
}

/// A browser whose clock stands still and whose dice count upwards.
#[derive(Debug, Default)]
pub(crate) struct FakeBrowser {
    pub(crate) now: u64,
    pub(crate) page: Page,
    pub(crate) stored: BTreeMap<String, String>,
    pub(crate) effects: Vec<Effect>,
    rolled: u64,
}

impl FakeBrowser {
    /// At 2026-01-01T00:00:00Z, on a page at `url`.
    pub(crate) fn at(url: &str) -> Self {
        let mut browser = Self { now: 1_767_225_600_000, ..Self::default() };
        browser.go(url, "Home");
        browser
    }

    /// The page becomes another, as after `history.pushState`.
    pub(crate) fn go(&mut self, url: &str, title: &str) {
        self.open(url, "", "", title);
    }

    /// The page is this one.
    pub(crate) fn open(&mut self, url: &str, category: &str, referrer: &str, title: &str) {
        self.page = Page::new(format!("{url}\n{category}\n{referrer}\n{title}"));
    }
}

impl Clock for FakeBrowser {
    fn now(&self) -> u64 {
        self.now
    }

    fn id(&mut self) -> String {
        self.rolled += 1;
        format!("019b76da-a800-7000-8000-{:012x}", self.rolled)
    }

    fn chance(&self) -> u8 {
        0
    }
}

impl Scene for FakeBrowser {
    fn page(&self) -> Page {
        self.page.clone()
    }

    fn is_json(&self, text: &str) -> bool {
        serde_json::from_str::<serde_json::Value>(text).is_ok()
    }
}

impl Storage for FakeBrowser {
    fn get(&self, key: &str) -> String {
        self.stored.get(key).cloned().unwrap_or_default()
    }

    fn set(&mut self, key: &str, value: &str) {
        self.stored.insert(key.into(), value.into());
    }

    fn remove(&mut self, key: &str) {
        self.stored.remove(key);
    }
}

impl Outside for FakeBrowser {
    fn post(&mut self, events: &str) {
        self.effects.push(Effect::Post(events.into()));
    }

    fn beacon(&mut self, events: &str) {
        self.effects.push(Effect::Beacon(events.into()));
    }

    fn later(&mut self, after_millis: u32) {
        self.effects.push(Effect::Later(after_millis));
    }

    fn left_out(&mut self, why: Refusal) {
        self.effects.push(Effect::LeftOut(why));
    }
}
