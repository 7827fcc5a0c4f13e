//! The ways out of the page.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    /// What the loader does for the tracker: `loader/loader.js` holds the other end. Neither method
    /// throws.
    #[derive(Debug)]
    pub type Host;

    /// Posts `body` by `fetch` with `keepalive`, and tells `answered` how it went.
    #[wasm_bindgen(method)]
    pub fn post(this: &Host, url: &str, body: &str);

    /// Calls `tick` once, after so many milliseconds; an earlier wish is forgotten.
    #[wasm_bindgen(method)]
    pub fn later(this: &Host, after_millis: u32);
}

/// Hands `body` to the browser, which sends it even when the page is gone. There is no answer, so
/// what is in it stays in the queue; a browser that refuses loses nothing.
pub fn beacon(navigator: &web_sys::Navigator, url: &str, body: &str) {
    if navigator.send_beacon_with_opt_str(url, Some(body)).is_err() {
        say("the browser refused a beacon");
    }
}

/// Writes a line on the console's debug level.
pub fn say(text: &str) {
    web_sys::console::debug_2(&JsValue::from_str("footfall:"), &JsValue::from_str(text));
}
