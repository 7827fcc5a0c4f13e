//! The ways out of the page, which are the loader's.

use wasm_bindgen::prelude::wasm_bindgen;

/// What the tracker can do, beside keeping texts. Nothing here fails: a browser that refuses loses
/// nothing, since an event stays in the queue until it is answered.
pub trait Outside {
    /// How long nothing may be sent: another tab sends, the collector asked to wait, or the visitor has
    /// not answered yet.
    fn held_millis(&self) -> u32;
    /// Posts events, one a line, as a batch. What the collector has, or refuses for good, is taken out of
    /// the queue, and [`Answered`](crate::tracker::Signal::Answered) follows.
    fn post(&mut self, events: &str);
    /// Hands a batch to the browser, which sends it even when the page is gone. There is no answer.
    fn beacon(&mut self, events: &str);
    /// Calls `tick` once, after so many milliseconds; an earlier wish is forgotten.
    fn later(&mut self, after_millis: u32);
}

/// `loader/host.js` holds the other end. None of these throws.
#[wasm_bindgen(module = "/loader/host.js")]
extern "C" {
    pub(crate) fn held() -> u32;
    pub(crate) fn post(events: &str);
    pub(crate) fn beacon(events: &str);
    pub(crate) fn later(after_millis: u32);
}
