#![doc = include_str!("../README.md")]
#![no_std]
#![expect(clippy::single_char_add_str, reason = "a character costs its encoder, 200 bytes")]

extern crate alloc;
#[cfg(any(test, not(feature = "page")))]
extern crate std;

pub mod browser;
pub mod capture;
pub mod config;
mod delivery;
mod json;
mod lines;
#[cfg(all(feature = "page", target_arch = "wasm32"))]
mod page;
mod queue;
pub mod tracker;

use spin::Mutex;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::browser::{Document, Window};
use crate::tracker::{Signal, Tracker};

/// One page, one thread, one tracker. The lock is never waited for: who finds it taken goes.
static RUNNING: Mutex<Tracker> = Mutex::new(Tracker::new());

/// What happened, by its number in loader/host.js, with the number and the lines that belong to it:
/// one way in for all, since each costs the page some 50 bytes. Any other number asks whether
/// everything that was seen is delivered.
#[wasm_bindgen]
pub fn signal(document: &Document, signal: u32, number: u32, lines: &str) -> bool {
    let signal = match signal {
        0 => Signal::Started { viewed: number != 0 },
        1 => Signal::Navigated { depth: number },
        2 => Signal::Viewed,
        3 => Signal::Hidden { depth: number },
        4 => Signal::Forgotten,
        5 => Signal::Ticked,
        6 => Signal::Answered { again_millis: number },
        7 => Signal::Active { depth: number },
        8 => Signal::Called { lines },
        _ => {
            let mut idle = false;
            run(document, |tracker, window| idle = tracker.is_idle(window));
            return idle;
        }
    };
    run(document, |tracker, window| tracker.handle(signal, window));
    false
}

/// What comes while something else is handled (a page that patched its storage to navigate, say) is
/// left out: a panic would take the tracker down for good. So does the lock of one that broke off.
fn run<'a>(document: &'a Document, work: impl FnOnce(&mut Tracker, &mut Window<'a>)) {
    if let Some(mut tracker) = RUNNING.try_lock() {
        work(&mut tracker, &mut Window { document });
    }
}
