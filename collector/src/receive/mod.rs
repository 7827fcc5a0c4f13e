//! From bytes to a batch, and from an outcome to an answer.

mod assets;
pub(crate) mod body;
mod client_ip;
mod native;
pub(crate) mod respond;
mod trusted_proxy;

pub use assets::Assets;
pub(crate) use client_ip::client_ip;
pub(crate) use native::{Sent, batch};
pub(crate) use trusted_proxy::TrustedProxy;
