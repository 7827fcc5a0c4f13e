//! A site's name: short, and safe wherever it is shown.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::limits::SITE_NAME_BYTES_MAX;

/// The name a site has in its tag, in every URL and in every table: lower-case letters, digits and
/// inner hyphens, as in a host name's label, so it needs no escaping anywhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct SiteName(String);

/// A text that is not a site's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SiteNameError;

impl fmt::Display for SiteNameError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "a site's name is 1 to {SITE_NAME_BYTES_MAX} lower-case letters, digits and inner hyphens, for example my-shop"
        )
    }
}

impl core::error::Error for SiteNameError {}

impl SiteName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SiteName {
    type Err = SiteNameError;

    fn from_str(name: &str) -> Result<Self, SiteNameError> {
        let inner = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let fits = (1..=SITE_NAME_BYTES_MAX).contains(&name.len());
        let edges = !name.starts_with('-') && !name.ends_with('-');
        if fits && edges && name.bytes().all(inner) {
            Ok(Self(name.into()))
        } else {
            Err(SiteNameError)
        }
    }
}

impl TryFrom<String> for SiteName {
    type Error = SiteNameError;

    fn try_from(name: String) -> Result<Self, SiteNameError> {
        name.parse()
    }
}

impl fmt::Display for SiteName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}
