//! From bytes to a batch, and from an outcome to an answer.

mod assets;
mod baked;
pub(crate) mod body;
mod client_ip;
pub(crate) mod encoding;
pub(crate) mod json_text;
mod native;
mod packing;
pub(crate) mod pixel;
mod place_headers;
pub(crate) mod redirect;
pub(crate) mod respond;
pub(crate) mod segment_api;
mod trusted_proxy;
mod way;

pub use assets::Assets;
pub(crate) use assets::{Asked, Form};
pub(crate) use client_ip::{address, client_ip, is_trusted};
pub(crate) use native::{Sent, batch};
pub(crate) use place_headers::PlaceHeaders;
pub(crate) use trusted_proxy::TrustedProxy;
pub(crate) use way::Way;
