//! Every test here is something a user would do, done with the real programs.
//!
//! `clickstream` an analyst loads a real shop's events and asks for funnels whose answers are known;
//! `shop` a visitor walks the example shop in a real browser, and the marketer's numbers are what
//! the visitors did; `pages` the marketer's page in a real browser; `sdk` and `sdk_browser` other
//! people's SDKs against the collector, on a server and in a page; `link` a visitor follows a redirect
//! link; `tracker` the tracker on pages that make it hard; `parts` what only some sites switch on of it;
//! `own_path` a tracker under names of the site's own; `npm` the tracker's package, as a site's
//! developer builds with it;
//! `engines` the tracker in Chromium, Firefox and WebKit;
//! `service` the collector as a service manager runs it; `operator` what an operator types and is told;
//! `refused` what a program that cannot start or a request that cannot be taken is told.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stderr, reason = "a test that was not run says so")]

mod clickstream;
mod engines;
mod link;
mod npm;
mod operator;
mod own_path;
mod pages;
mod parts;
mod refused;
mod sdk;
mod sdk_browser;
mod service;
mod shop;
mod tracker;
