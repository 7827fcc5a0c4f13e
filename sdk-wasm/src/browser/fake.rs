//! A browser made of plain values, for tests of the tracker without one.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::cell::Cell;

use crate::browser::{Clock, Outside, Scene, Storage};

/// What the tracker did in the browser.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Post(String),
    Beacon(String),
    Later(u32),
}

/// A browser whose clock stands still, unless it is `slow`, and whose ids count upwards.
#[derive(Debug)]
pub(crate) struct FakeBrowser {
    pub(crate) now: u64,
    /// How far the clock goes on whenever it is read: the machine has something else to do.
    pub(crate) slow: u64,
    read: Cell<u64>,
    pub(crate) page: String,
    pub(crate) visible: bool,
    /// Whether the visitor may be measured.
    pub(crate) allowed: bool,
    /// Whether nothing is kept of the visitor.
    pub(crate) cookieless: bool,
    pub(crate) held: u32,
    /// Of each event whether it could begin a session.
    pub(crate) begins: Vec<bool>,
    pub(crate) queue: String,
    pub(crate) effects: Vec<Effect>,
    rolled: u64,
}

impl FakeBrowser {
    /// At 2026-01-01T00:00:00Z, on a page at `url`.
    pub(crate) fn at(url: &str) -> Self {
        let mut browser = Self {
            now: 1_767_225_600_000,
            slow: 0,
            read: Cell::new(0),
            page: String::new(),
            visible: true,
            allowed: true,
            cookieless: false,
            held: 0,
            begins: Vec::new(),
            queue: String::new(),
            effects: Vec::new(),
            rolled: 0,
        };
        browser.go(url, "Home");
        browser
    }

    /// What was posted is on the collector's disk, or refused for good: it leaves the queue.
    pub(crate) fn take_out(&mut self, posted: &str) {
        let left = self.queue.lines().filter(|line| !posted.contains(line));
        self.queue = left.collect::<Vec<_>>().join("\n");
    }

    /// The page becomes another, as after `history.pushState`.
    pub(crate) fn go(&mut self, url: &str, title: &str) {
        self.page = format!("{url}\n[\"Tea\",\"Tea/Pots\"]\n{title}\nhttps://search.example/");
    }
}

impl Clock for FakeBrowser {
    fn now(&self) -> u64 {
        let before = self.read.replace(self.read.get() + 1);
        self.now + before * self.slow
    }
}

impl Scene for FakeBrowser {
    fn page(&self) -> String {
        self.page.to_string()
    }

    fn is_visible(&self) -> bool {
        self.visible
    }
}

impl Storage for FakeBrowser {
    fn who(&mut self, begins: bool) -> String {
        self.begins.push(begins);
        if !self.allowed {
            return String::new();
        }
        self.rolled += 1;
        let id = |number| format!("019b76da-a800-7000-8000-{number:012x}");
        let ids = [id(0xa000_0000), id(0xb000_0000)].join("\n");
        let ids = if self.cookieless { "\n" } else { &ids };
        format!("{}\n{ids}\n\n{{\"ads\":\"granted\"}}", id(self.rolled))
    }

    fn queue(&self) -> String {
        self.queue.clone()
    }

    fn set_queue(&mut self, events: &str) {
        self.queue = events.into();
    }
}

impl Outside for FakeBrowser {
    fn held_millis(&self) -> u32 {
        self.held
    }

    fn post(&mut self, events: &str) {
        self.effects.push(Effect::Post(events.into()));
    }

    fn beacon(&mut self, events: &str) {
        self.effects.push(Effect::Beacon(events.into()));
    }

    fn later(&mut self, after_millis: u32) {
        self.effects.push(Effect::Later(after_millis));
    }
}
