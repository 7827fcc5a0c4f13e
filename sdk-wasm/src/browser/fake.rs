//! A browser made of plain values, for tests of the tracker without one.

use std::collections::BTreeMap;

use crate::browser::{Clock, Scene, Storage};
use crate::capture::page::Page;

/// A browser whose clock stands still and whose dice count upwards.
#[derive(Debug, Default)]
pub(crate) struct FakeBrowser {
    pub(crate) now: u64,
    pub(crate) page: Page,
    pub(crate) stored: BTreeMap<String, String>,
    rolled: u64,
}

impl FakeBrowser {
    /// At 2026-01-01T00:00:00Z, on a page at `url`.
    pub(crate) fn at(url: &str) -> Self {
        let page = Page { url: url.into(), title: "Home".into(), ..Page::default() };
        Self { now: 1_767_225_600_000, page, ..Self::default() }
    }

    /// The page becomes another, as after `history.pushState`.
    pub(crate) fn go(&mut self, url: &str, title: &str) {
        self.page.url = url.into();
        self.page.title = title.into();
    }
}

impl Clock for FakeBrowser {
    fn now(&self) -> u64 {
        self.now
    }

    fn fill_random(&mut self, bytes: &mut [u8]) {
        self.rolled += 1;
        bytes.fill(0);
        for (byte, rolled) in bytes.iter_mut().rev().zip(self.rolled.to_le_bytes()) {
            *byte = rolled;
        }
    }
}

impl Scene for FakeBrowser {
    fn page(&self) -> Page {
        self.page.clone()
    }
}

impl Storage for FakeBrowser {
    fn get(&self, key: &str) -> Option<String> {
        self.stored.get(key).cloned()
    }

    fn set(&mut self, key: &str, value: &str) {
        self.stored.insert(key.into(), value.into());
    }

    fn remove(&mut self, key: &str) {
        self.stored.remove(key);
    }
}
