#![doc = include_str!("../README.md")]

pub mod browser;
pub mod capture;
pub mod config;
pub mod consent;
mod delivery;
pub mod error;
mod id;
mod queue;
mod session;
pub mod tracker;
mod visitor;

use std::cell::RefCell;

use wasm_bindgen::prelude::wasm_bindgen;

use crate::browser::{Window, transport};
use crate::config::Config;
use crate::consent::Change;
use crate::tracker::{Command, Effect, Signal, Tracker};

struct Running {
    tracker: Tracker,
    window: Window,
    host: transport::Host,
}

thread_local! {
    static RUNNING: RefCell<Option<Running>> = const { RefCell::new(None) };
}

/// Starts the tracker for `site` and views the page. Called once, by the loader, which is `host`.
#[wasm_bindgen]
pub fn start(site: String, collector: &str, debug: bool, host: transport::Host) {
    let Some(window) = Window::open(&site) else { return };
    let config = Config::new(site, collector, debug, window.context());
    RUNNING.with(|running| {
        if let Ok(mut running) = running.try_borrow_mut() {
            *running = Some(Running { tracker: Tracker::new(config), window, host });
        }
    });
    signal(Signal::Started);
}

/// What the page asked for by `footfall(...)`: the texts it gave in their order, and the object it
/// gave, if any, as JSON.
#[wasm_bindgen]
pub fn command(texts: Vec<String>, json: Option<String>) {
    signal(Signal::Command(Command::parse(texts, json)));
}

/// `footfall('consent', {...})`: the answer to each purpose, `granted` or `denied`, where given.
#[wasm_bindgen]
pub fn consent(analytics: Option<String>, personalization: Option<String>, ads: Option<String>) {
    let change = Change::parse(analytics.as_deref(), personalization.as_deref(), ads.as_deref());
    signal(Signal::Command(change.map(Command::Consent)));
}

/// The page changed its own address; `replaced` where it put the new one in the old one's place.
#[wasm_bindgen]
pub fn navigated(replaced: bool) {
    signal(Signal::Navigated { replaced });
}

/// The page came back whole from the browser's back-forward cache.
#[wasm_bindgen]
pub fn shown() {
    signal(Signal::Shown);
}

/// The page is no longer seen, and may never be again.
#[wasm_bindgen]
pub fn hidden() {
    signal(Signal::Hidden);
}

/// The time asked for by `Host::later` has come.
#[wasm_bindgen]
pub fn tick() {
    signal(Signal::Ticked);
}

/// The collector answered the batch with an HTTP status; 0 where there was no answer.
#[wasm_bindgen]
pub fn answered(status: u16) {
    signal(Signal::Answered { status });
}

/// Whether everything that was seen is delivered: for tests, which must not close a page too early.
#[wasm_bindgen]
#[must_use]
pub fn idle() -> bool {
    RUNNING.with(|running| {
        let Ok(running) = running.try_borrow() else { return false };
        running.as_ref().is_some_and(|running| running.tracker.is_idle(&running.window))
    })
}

/// Hands a signal to the tracker and does what it wants done. A signal that comes while another is
/// handled (a page that patched its storage to navigate, say) is left out: a panic would take the
/// tracker down for good.
fn signal(signal: Signal) {
    RUNNING.with(|running| {
        let Ok(mut running) = running.try_borrow_mut() else { return };
        let Some(Running { tracker, window, host }) = running.as_mut() else { return };
        for effect in tracker.handle(signal, window) {
            match effect {
                Effect::Send { url, body } => host.post(&url, &body),
                Effect::Beacon { url, body } => transport::beacon(window.navigator(), &url, &body),
                Effect::Wake { after_millis } => host.later(after_millis),
                Effect::Say(text) => transport::say(&text),
            }
        }
    });
}
