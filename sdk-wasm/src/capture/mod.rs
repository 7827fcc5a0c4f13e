//! What is seen without the site's help.

pub mod engagement;
pub mod page;
