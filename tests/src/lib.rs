#![doc = include_str!("../README.md")]

mod junk;
mod process;
mod program;
mod running;
mod stack;

pub use junk::Junk;
pub use process::{Held, raise_open_files};
pub use program::{Footfall, footfall};
pub use running::{Running, eventually};
pub use stack::{Stack, stored};
