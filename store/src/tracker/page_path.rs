//! An address of the collector under a site's own name: what the site's proxy hands on.

use std::fmt;
use std::str::FromStr;

use serde_with::{DeserializeFromStr, SerializeDisplay};
use thiserror::Error;

const BYTES_MAX: usize = 128;
/// Addresses that mean something already; a folder ends with its slash.
const TAKEN: [&str; 6] = ["/v1/", "/s/", "/r/", "/healthz", "/readyz", "/metrics"];

/// A path from the root of a host, without query.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, SerializeDisplay, DeserializeFromStr,
)]
pub struct PagePath(String);

/// Why a text is no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PagePathError {
    /// Such as `https://shop.example/a.js`, or `/a/../b.js`.
    #[error(
        "a path begins with a slash and has only letters, digits and -_~. between slashes, \
         for example /assets/app.js"
    )]
    Form,
    /// Longer than is kept.
    #[error("a path has at most {BYTES_MAX} bytes")]
    TooLong,
    /// The collector answers something else there.
    #[error("{0} is an address of the collector already")]
    Taken(&'static str),
}

impl PagePath {
    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PagePath {
    type Err = PagePathError;

    fn from_str(text: &str) -> Result<Self, PagePathError> {
        if text.len() > BYTES_MAX {
            return Err(PagePathError::TooLong);
        }
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~.".contains(&byte);
        let segment =
            |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(letter);
        let rest = text.strip_prefix('/').ok_or(PagePathError::Form)?;
        if !rest.split('/').all(segment) {
            return Err(PagePathError::Form);
        }
        let within = |taken: &str| match taken.strip_suffix('/') {
            Some(folder) => text == folder || text.starts_with(taken),
            None => text == taken,
        };
        match TAKEN.into_iter().find(|taken| within(taken)) {
            Some(taken) => Err(PagePathError::Taken(taken)),
            None => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for PagePath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}
