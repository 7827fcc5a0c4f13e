//! From bytes to a batch, and from an outcome to an answer.

mod assets;
pub(crate) mod body;
mod client_ip;
pub(crate) mod encoding;
mod native;
pub(crate) mod pixel;
pub(crate) mod respond;
pub(crate) mod segment_api;
mod trusted_proxy;

pub use assets::Assets;
pub(crate) use assets::Form;
pub(crate) use client_ip::client_ip;
pub(crate) use native::{Sent, batch};
pub(crate) use trusted_proxy::TrustedProxy;
