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

use crate::browser::{Document, Window};
use crate::cut::cut;
use crate::tracker::{Call, Signal, Tracker};

/// One page, one thread, one tracker. The lock is never waited for: who finds it taken goes.
static RUNNING: Mutex<Tracker> = Mutex::new(Tracker::new());

/// What happened, by its number in loader/host.js, and what belongs to it: one way in for all, since
/// each costs the page some 50 bytes. Any other number asks whether everything that was
/// seen is delivered.
#[wasm_bindgen]
pub fn signal(document: &Document, signal: u32, detail: u32) -> bool {
    let signal = match signal {
        0 => Signal::Started { viewed: detail != 0 },
        1 => Signal::Navigated { replaced: detail != 0 },
        2 => Signal::Shown,
        3 => Signal::Hidden,
        4 => Signal::Forgotten,
        5 => Signal::Ticked,
        6 => Signal::Answered { status: detail as u16 },
        _ => {
            let mut idle = false;
            run(document, |tracker, window| idle = tracker.is_idle(window));
            return idle;
        }
    };
    run(document, |tracker, window| tracker.handle(signal, window));
    false
}

/// What the page asked for by `footfall(...)`, a line each: the three texts it gave in their order and
/// the object as JSON, empty where it gave none.
#[wasm_bindgen]
pub fn call(document: &Document, lines: &str) {
    let (name, rest) = cut(lines, b'\n');
    let (first, rest) = cut(rest, b'\n');
    let (second, json) = cut(rest, b'\n');
    run(document, |tracker, window| tracker.call(Call { name, first, second, json }, window));
}

/// What comes while something else is handled (a page that patched its storage to navigate, say) is
/// left out: a panic would take the tracker down for good. So does the lock of one that broke off.
fn run<'a>(document: &'a Document, work: impl FnOnce(&mut Tracker, &mut Window<'a>)) {
    if let Some(mut tracker) = RUNNING.try_lock() {
        work(&mut tracker, &mut Window { document });
    }
}
