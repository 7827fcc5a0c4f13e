//! The browser as the tracker sees it: three small traits, and the one place that asks the real
//! one. Nothing outside this folder names web-sys.

mod clock;
#[cfg(test)]
pub(crate) mod fake;
mod page;
mod storage;
pub mod transport;

pub use clock::Clock;
pub use page::Scene;
pub use storage::{LocalStorage, Storage};

use wire::Context;

use crate::capture::page::Page;

/// All the tracker may read of a browser, and the storage it may write.
pub trait Browser: Clock + Scene + Storage {}

impl<T: Clock + Scene + Storage> Browser for T {}

/// The real browser, through the page's `window`.
#[derive(Debug)]
pub struct Window {
    window: web_sys::Window,
    document: web_sys::Document,
    navigator: web_sys::Navigator,
    storage: LocalStorage,
}

impl Window {
    /// The page's window, with the storage of `site`. `None` where there is no document (a worker).
    #[must_use]
    pub fn open(site: &str) -> Option<Self> {
        let window = web_sys::window()?;
        let document = window.document()?;
        let navigator = window.navigator();
        let storage = LocalStorage::open(&window, site);
        Some(Self { window, document, navigator, storage })
    }

    /// What holds for the whole page.
    #[must_use]
    pub fn context(&self) -> Context<'static> {
        page::context(&self.window, &self.navigator)
    }

    /// For the beacon, which is the navigator's.
    #[must_use]
    pub fn navigator(&self) -> &web_sys::Navigator {
        &self.navigator
    }
}

impl Clock for Window {
    fn now(&self) -> u64 {
        clock::now()
    }

    fn fill_random(&mut self, bytes: &mut [u8]) {
        clock::fill_random(&self.window, bytes);
    }
}

impl Scene for Window {
    fn page(&self) -> Page {
        page::read(&self.window, &self.document)
    }
}

impl Storage for Window {
    fn get(&self, key: &str) -> Option<String> {
        self.storage.get(key)
    }

    fn set(&mut self, key: &str, value: &str) {
        self.storage.set(key, value);
    }

    fn remove(&mut self, key: &str) {
        self.storage.remove(key);
    }
}
