#![doc = include_str!("../README.md")]

mod api;
mod assets;
mod auth;
mod config;
mod error;
mod page;
mod parameters;
mod respond;
mod server;

pub use config::{DashboardConfig, Settings};
pub use error::{DashboardError, StartError};
pub use server::run;
