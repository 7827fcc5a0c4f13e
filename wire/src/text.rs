//! Text that is borrowed from the request where it can be.

use alloc::borrow::Cow;
use alloc::string::String;
use core::ops::Deref;

use serde::{Deserialize, Serialize};

/// A string of the wire, unchecked: whoever reads it from a request must treat it as hostile.
///
/// It borrows from the body unless the JSON has an escape in it, so that reading a batch costs no
/// allocation per field. (A plain `Option<Cow<str>>` would always be copied: serde borrows only
/// through a type of our own.)
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

impl Text<'_> {
    /// The text as a plain slice.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}
