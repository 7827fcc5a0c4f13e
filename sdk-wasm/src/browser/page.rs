//! What the page shows now.

use alloc::string::String;

use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Document;

use crate::capture::page::Page;

/// The page in front of the visitor.
pub trait Scene {
    /// The page's address, title and category as they are at this moment.
    fn page(&self) -> Page;

    /// Whether a text is JSON, as the page's own reader tells: one of ours would be half the tracker.
    fn is_json(&self, text: &str) -> bool;
}

#[wasm_bindgen(module = "/loader/host.js")]
extern "C" {
    /// The first two lines of a [`Page`], the address and the category.
    fn page() -> String;
    #[wasm_bindgen(js_name = isJson)]
    pub(crate) fn is_json(text: &str) -> bool;
}

pub(crate) fn read(document: &Document) -> Page {
    let mut lines = page();
    for line in [document.referrer(), document.title()] {
        lines.push_str("\n");
        lines.push_str(&line);
    }
    Page::new(lines)
}
