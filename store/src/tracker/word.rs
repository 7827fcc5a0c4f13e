//! A word of the lists that a site's script carries: a part's name, a host, a parameter, a file's ending.

use std::fmt;
use std::str::FromStr;

use serde_with::{DeserializeFromStr, SerializeDisplay};
use thiserror::Error;

/// The longest name of a host.
const BYTES_MAX: usize = 253;

/// Words are joined
/// by spaces in the script, so none has one in it.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, SerializeDisplay, DeserializeFromStr,
)]
pub struct Word(String);

/// The text is no such word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "a word of at most {BYTES_MAX} letters, digits and -_.[]: is expected, for example q or shop.example"
)]
pub struct WordError;

impl Word {
    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Word {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.[]:".contains(&byte);
        let fits = (1..=BYTES_MAX).contains(&text.len()) && text.bytes().all(letter);
        if fits { Ok(Self(text.to_owned())) } else { Err(WordError) }
    }
}

impl fmt::Display for Word {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}
