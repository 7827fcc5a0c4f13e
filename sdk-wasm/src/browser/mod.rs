//! The browser as the tracker sees it: three small traits, and the one place that asks the real
//! one, through the loader.

mod clock;
#[cfg(test)]
pub(crate) mod fake;
mod page;
mod storage;
pub mod transport;

pub use clock::Clock;
pub use page::Scene;
pub use storage::Storage;
pub use transport::Outside;
pub use web_sys::Document;

use alloc::string::String;

use crate::capture::page::Page;
use crate::error::Refusal;

/// All the tracker may read of a browser, and do in it.
pub trait Browser: Clock + Scene + Storage + Outside {}

impl<T: Clock + Scene + Storage + Outside> Browser for T {}

/// The real browser: js-sys and web-sys for what only the tracker asks it, and the loader for what it
/// needs too where there is no WebAssembly.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    /// Lent by the loader with each signal. To keep it, or to ask for it, would take a table of objects
    /// and what fills it.
    pub document: &'a Document,
}

impl Clock for Window<'_> {
    fn now(&self) -> u64 {
        clock::now()
    }

    fn id(&mut self) -> String {
        transport::new_id()
    }

    fn chance(&self) -> u8 {
        clock::chance()
    }
}

impl Scene for Window<'_> {
    fn page(&self) -> Page {
        page::read(self.document)
    }

    fn is_json(&self, text: &str) -> bool {
        page::is_json(text)
    }
}

impl Storage for Window<'_> {
    fn get(&self, key: &str) -> String {
        storage::get(key)
    }

    fn set(&mut self, key: &str, value: &str) {
        storage::set(key, value);
    }

    fn remove(&mut self, key: &str) {
        storage::remove(key);
    }
}

impl Outside for Window<'_> {
    fn post(&mut self, events: &str) {
        transport::post(events);
    }

    fn beacon(&mut self, events: &str) {
        transport::beacon(events);
    }

    fn later(&mut self, after_millis: u32) {
        transport::later(after_millis);
    }

    fn left_out(&mut self, why: Refusal) {
        transport::left_out(why.tag());
    }
}
