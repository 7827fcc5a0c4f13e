//! What is seen on a page without the site's help.

pub mod page;
