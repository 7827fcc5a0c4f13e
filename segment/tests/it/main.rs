//! The rule language through the crate's door: what it reads and refuses, and that the evaluator says
//! what a slow and plain one says.
#![allow(clippy::unwrap_used, reason = "a test may panic, also in its functions")]

mod evaluate;
mod parse;
mod sql;
