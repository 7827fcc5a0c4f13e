//! The shop through its door.
#![allow(clippy::unwrap_used, reason = "a test that cannot set the scene must fail loudly")]

mod pages;
