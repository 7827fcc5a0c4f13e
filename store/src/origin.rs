//! Which pages may say that they belong to a site.

use std::fmt;
use std::str::FromStr;

use serde_with::{DeserializeFromStr, SerializeDisplay};
use thiserror::Error;
use url::Url;

/// A web origin as a browser's `Origin` header says it: `https://shop.example`, with a port only where it
/// is not the scheme's own; lower case, international names in their ASCII form. Equal origins are equal
/// texts.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, SerializeDisplay, DeserializeFromStr,
)]
pub struct Origin(String);

/// A text that is not a web origin.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{text:?} is not an origin ({why}); an origin is a scheme and a host, for example https://shop.example or http://localhost:8080"
)]
pub struct OriginError {
    text: String,
    why: &'static str,
}

impl Origin {
    /// As the browser says it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let no = |why| OriginError { text: text.to_owned(), why };
        let url = Url::parse(text.trim()).map_err(|_| no("it is not a URL"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(no("its scheme is neither http nor https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(no("it has a user in it"));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(no("it has more than a scheme, a host and a port"));
        }
        Ok(Self(url.origin().ascii_serialization()))
    }
}

impl AsRef<str> for Origin {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_a_browser_says_it() {
        for (given, said) in [
            ("https://Shop.Example/", "https://shop.example"),
            ("https://shop.example:443", "https://shop.example"),
            ("http://127.0.0.1:4404", "http://127.0.0.1:4404"),
            ("https://dućan.hr", "https://xn--duan-mta.hr"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            assert_eq!(given.parse::<Origin>().unwrap().as_str(), said);
        }
    }

    #[test]
    fn what_is_more_or_less_than_an_origin_is_refused_with_the_reason() {
        for (given, why) in [
            ("shop.example", "not a URL"),
            ("*", "not a URL"),
            ("ftp://shop.example", "scheme"),
            ("https://a:b@shop.example", "user"),
            ("https://shop.example/cart", "more than"),
            ("https://shop.example/?a", "more than"),
            ("https://", "not a URL"),
        ] {
            let error = given.parse::<Origin>().unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
