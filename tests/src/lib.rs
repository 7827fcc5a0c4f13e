#![doc = include_str!("../README.md")]

mod program;
mod running;
mod stack;

pub use program::{Footfall, footfall};
pub use running::{Running, eventually};
pub use stack::{Stack, stored};
