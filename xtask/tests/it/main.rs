//! `cargo xtask` through its door: what it does where something is missing or ends.

#![allow(clippy::unwrap_used, reason = "a test ends where it finds something else than it expects")]

mod fetch;
#[cfg(target_os = "linux")]
mod guard;

/// The built program.
const XTASK: &str = env!("CARGO_BIN_EXE_xtask");
