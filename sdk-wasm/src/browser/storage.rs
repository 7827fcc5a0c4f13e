//! What outlives the page.

use alloc::string::String;

use wasm_bindgen::prelude::wasm_bindgen;

/// Texts by key. Whoever reads must expect anything: the page and the visitor can write here too.
pub trait Storage {
    /// The text under `key`, empty where there is none.
    fn get(&self, key: &str) -> String;
    /// Puts `value` under `key`.
    fn set(&mut self, key: &str, value: &str);
    /// Forgets `key`.
    fn remove(&mut self, key: &str);
}

/// `localStorage` under keys of our own, or memory where the browser refuses it: the fallback without
/// WebAssembly keeps what it keeps in the same place.
#[wasm_bindgen(module = "/loader/host.js")]
extern "C" {
    pub(crate) fn get(key: &str) -> String;
    pub(crate) fn set(key: &str, value: &str);
    pub(crate) fn remove(key: &str);
}
