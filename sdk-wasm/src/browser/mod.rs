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

use alloc::string::String;

use crate::capture::page::Page;
use crate::error::Refusal;

/// All the tracker may read of a browser, and do in it.
pub trait Browser: Clock + Scene + Storage + Outside {}

impl<T: Clock + Scene + Storage + Outside> Browser for T {}

/// The real browser: what has a web-sys type through that, the rest through the loader, which needs
/// it too where there is no WebAssembly.
#[derive(Clone, Copy, Debug)]
pub struct Window;

impl Clock for Window {
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

impl Scene for Window {
    fn page(&self) -> Page {
        page::read()
    }

    fn is_json(&self, text: &str) -> bool {
        page::is_json(text)
    }
}

impl Storage for Window {
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

impl Outside for Window {
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
