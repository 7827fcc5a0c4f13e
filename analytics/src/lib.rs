#![doc = include_str!("../README.md")]

pub mod funnel;
pub mod interest;
pub mod overview;
pub mod query;
pub mod segment;
pub mod traffic;
