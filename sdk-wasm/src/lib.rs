#![doc = include_str!("../README.md")]
#![no_std]
#![expect(clippy::single_char_add_str, reason = "a character costs its encoder, 200 bytes")]

extern crate alloc;
#[cfg(any(test, not(feature = "page")))]
extern crate std;

pub mod browser;
pub mod capture;
pub mod config;
pub mod consent;
mod cut;
mod delivery;
pub mod error;
mod id;
mod json;
#[cfg(all(feature = "page", target_arch = "wasm32"))]
mod page;
mod queue;
mod session;
pub mod tracker;
mod visitor;

use spin::Mutex;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::browser::Window;
use crate::cut::cut;
use crate::tracker::{Call, Signal, Tracker};

/// One page, one thread, one tracker. The lock is never waited for: who finds it taken goes.
static RUNNING: Mutex<Option<Tracker>> = Mutex::new(None);

/// Starts the tracker and views the page, unless the loader has `viewed` it already. Called once, by
/// the loader.
#[wasm_bindgen]
pub fn start(viewed: bool) {
    if let Some(mut running) = RUNNING.try_lock() {
        *running = Some(Tracker::default());
    }
    signal(Signal::Started { viewed });
}

/// What the page asked for by `footfall(...)`, a line each: the three texts it gave in their order and
/// the object as JSON, empty where it gave none.
#[wasm_bindgen]
pub fn call(lines: &str) {
    let (name, rest) = cut(lines, b'\n');
    let (first, rest) = cut(rest, b'\n');
    let (second, json) = cut(rest, b'\n');
    run(|tracker, window| tracker.call(Call { name, first, second, json }, window));
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

/// The visitor does not want to be measured: the loader has deleted all that was kept.
#[wasm_bindgen]
pub fn forgotten() {
    signal(Signal::Forgotten);
}

/// The time that was asked for has come.
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
    let mut idle = false;
    run(|tracker, window| idle = tracker.is_idle(window));
    idle
}

fn signal(signal: Signal) {
    run(|tracker, window| tracker.handle(signal, window));
}

/// What comes while something else is handled (a page that patched its storage to navigate, say) is
/// left out: a panic would take the tracker down for good. So does the lock of one that broke off.
fn run(work: impl FnOnce(&mut Tracker, &mut Window)) {
    if let Some(mut running) = RUNNING.try_lock()
        && let Some(tracker) = running.as_mut()
    {
        work(tracker, &mut Window);
    }
}
