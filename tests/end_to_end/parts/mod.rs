//! The tracker's optional parts, each in a real browser on a page that gives it something to see, and what
//! of it is stored.

mod consent_mode;
mod datalayer;
mod domains;
mod errors;
mod forms;
mod policy;
mod search;
mod site;
mod tcf;
mod vitals;
