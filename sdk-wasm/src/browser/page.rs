//! What the page shows now.

use alloc::string::String;

use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Document;

/// The page in front of the visitor.
pub trait Scene {
    /// Its address, its categories as a JSON list (or nothing), its title, and where the browser says it
    /// was reached from, as they are at this moment: a line each.
    fn page(&self) -> String;

    /// Whether it can be seen: not in a tab behind another.
    fn is_visible(&self) -> bool;
}

#[wasm_bindgen(module = "/loader/host.js")]
extern "C" {
    pub(crate) fn page() -> String;
}

pub(crate) fn is_visible(document: &Document) -> bool {
    !document.hidden()
}
