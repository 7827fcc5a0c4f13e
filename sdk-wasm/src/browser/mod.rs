//! The browser as the tracker sees it: four small traits, and the one place that asks the real
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
}

impl Scene for Window<'_> {
    fn page(&self) -> String {
        page::page()
    }

    fn is_visible(&self) -> bool {
        page::is_visible(self.document)
    }
}

impl Storage for Window<'_> {
    fn who(&mut self, begins: bool) -> String {
        storage::who(begins)
    }

    fn queue(&self) -> String {
        storage::queue()
    }

    fn set_queue(&mut self, events: &str) {
        storage::set_queue(events);
    }
}

impl Outside for Window<'_> {
    fn held_millis(&self) -> u32 {
        transport::held()
    }

    fn post(&mut self, events: &str) {
        transport::post(events);
    }

    fn beacon(&mut self, events: &str) {
        transport::beacon(events);
    }

    fn later(&mut self, after_millis: u32) {
        transport::later(after_millis);
    }
}
