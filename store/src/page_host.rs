//! Of which hosts a site's pages may be.

use std::fmt;
use std::str::FromStr;

use serde_with::{DeserializeFromStr, SerializeDisplay};
use thiserror::Error;

/// What stands for any host.
const ANY: &str = "*";

/// A host with all under it, as a page's address has it (lower case, international names in their ASCII form),
/// or any host. Equal ones are equal texts.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, SerializeDisplay, DeserializeFromStr,
)]
pub struct PageHost(String);

/// The text is no host.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{0:?} is not a host; a host is a name or an address alone, for example shop.example (with all under it), and * is any"
)]
pub struct PageHostError(String);

impl PageHost {
    /// The host; none where it is any.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        (self.0 != ANY).then_some(self.0.as_str())
    }
}

impl FromStr for PageHost {
    type Err = PageHostError;

    fn from_str(text: &str) -> Result<Self, PageHostError> {
        let text = text.trim();
        if text == ANY {
            return Ok(Self(ANY.to_owned()));
        }
        let name = text.strip_prefix("*.").unwrap_or(text);
        let host = url::Host::parse(name.strip_suffix('.').unwrap_or(name)).ok();
        let host = host.map(|host| host.to_string()).filter(|host| !host.contains(ANY));
        host.map(Self).ok_or_else(|| PageHostError(text.to_owned()))
    }
}

impl fmt::Display for PageHost {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_written_as_an_address_has_it() {
        for (given, written) in [
            ("Shop.Example", "shop.example"),
            ("*.shop.example.", "shop.example"),
            ("dućan.hr", "xn--duan-mta.hr"),
            ("localhost", "localhost"),
            ("[::1]", "[::1]"),
        ] {
            let host: PageHost = given.parse().unwrap();
            assert_eq!((host.to_string().as_str(), host.name()), (written, Some(written)));
        }
        assert_eq!("*".parse::<PageHost>().unwrap().name(), None);
    }

    #[test]
    fn what_is_more_than_a_host_is_refused() {
        for given in
            ["", "*.", "https://shop.example", "shop.example:8080", "shop.example/a", "s*.example"]
        {
            assert!(given.parse::<PageHost>().is_err(), "{given}");
        }
    }
}
