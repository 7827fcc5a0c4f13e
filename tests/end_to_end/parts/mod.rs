//! The tracker's optional parts, each in a real browser on a page that gives it something to see, and what
//! of it is stored.

mod datalayer;
mod errors;
mod forms;
mod policy;
mod search;
mod site;
mod vitals;
