#![doc = include_str!("../README.md")]

mod program;
mod stack;

pub use program::{Footfall, footfall};
pub use stack::Stack;
