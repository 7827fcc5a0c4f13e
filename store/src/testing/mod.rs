//! For tests, here and in the other crates (feature `testing`): a fresh database, and the rows of a story.
//!
//! What fails here fails the test, so it panics, with what to do.

mod database;
mod visit;

pub use database::{TestDatabase, insert, insert_identifiers};
pub use visit::{Visit, session_id, visitor, visitor_id};
