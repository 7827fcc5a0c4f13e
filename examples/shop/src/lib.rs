#![doc = include_str!("../README.md")]

pub mod browser;
mod page;
mod product;
mod serve;
pub mod visitor;
pub mod walk;

pub use serve::serve;
