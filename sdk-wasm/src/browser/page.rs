//! What the page shows now.

use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::wasm_bindgen;
use wire::Context;

use crate::capture::page::Page;

/// The page in front of the visitor.
pub trait Scene {
    /// The page's address, title and category as they are at this moment.
    fn page(&self) -> Page;
}

#[wasm_bindgen]
extern "C" {
    /// `navigator.webdriver`, which web-sys has no getter for.
    type Automation;

    #[wasm_bindgen(method, getter)]
    fn webdriver(this: &Automation) -> Option<bool>;
}

pub(crate) fn read(window: &web_sys::Window, document: &web_sys::Document) -> Page {
    let category = document
        .query_selector("meta[name='footfall:category']")
        .ok()
        .flatten()
        .and_then(|meta| meta.get_attribute("content"));
    Page {
        url: window.location().href().unwrap_or_default(),
        referrer: document.referrer(),
        title: document.title(),
        category: category.unwrap_or_default(),
    }
}

pub(crate) fn context(
    window: &web_sys::Window,
    navigator: &web_sys::Navigator,
) -> Context<'static> {
    let width = window.screen().ok().and_then(|screen| screen.width().ok());
    Context {
        language: navigator.language().map(Into::into),
        screen_width: width.and_then(|width| u16::try_from(width).ok()),
        timezone_offset: Some(js_sys::Date::new_0().get_timezone_offset() as i16),
        webdriver: navigator.unchecked_ref::<Automation>().webdriver().unwrap_or(false),
    }
}
