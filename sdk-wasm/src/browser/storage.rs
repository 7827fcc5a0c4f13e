//! What outlives the page.

use alloc::string::String;

use wasm_bindgen::prelude::wasm_bindgen;

/// Who the visitor is and what has not been delivered yet. The loader keeps both in `localStorage`, or
/// in memory where the browser refuses it, or the visitor is not to be kept: the fallback without
/// WebAssembly keeps what it keeps in the same place, by the same rules.
pub trait Storage {
    /// A new event's id, then the ids of visitor and session, the known id of the person, each empty
    /// where there is none, and the consent as JSON: a line each. Empty where nothing may be recorded.
    /// To ask prolongs the session; where it has ended, another `begins`, or it is told once more.
    fn who(&mut self, begins: bool) -> String;
    /// Events not yet delivered, a line each.
    fn queue(&self) -> String;
    /// Puts these in their place.
    fn set_queue(&mut self, events: &str);
}

#[wasm_bindgen(module = "/loader/host.js")]
extern "C" {
    pub(crate) fn queue() -> String;
    #[wasm_bindgen(js_name = setQueue)]
    pub(crate) fn set_queue(events: &str);
}

#[wasm_bindgen(module = "/loader/who.js")]
extern "C" {
    pub(crate) fn who(begins: bool) -> String;
}
