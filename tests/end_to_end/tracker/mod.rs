//! The tracker in real pages: what it sees, what it keeps, and that it gets through.

mod action;
mod consent;
mod delivery;
mod doctor;
mod gate;
mod option;
mod page;
mod prerender;
pub(crate) mod site;
mod slow;
mod surroundings;
mod traits;
