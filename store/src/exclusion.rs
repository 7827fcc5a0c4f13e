//! What a site does not want to be told: one rule each, written as `network=10.0.0.0/8`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde_with::{DeserializeFromStr, SerializeDisplay};
use thiserror::Error;

const TEXT_BYTES_MAX: usize = 256;

/// Events that are left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, SerializeDisplay, DeserializeFromStr)]
pub enum Exclusion {
    /// Sent from an address of this network.
    Network(IpNet),
    /// Sent from this country: ISO 3166-1 alpha-2, upper case.
    Country(String),
    /// Of pages of this host, lower case.
    Host(String),
    /// Of pages whose path begins so.
    Path(String),
    /// Of visits that come from this host, lower case, or one under it.
    Referrer(String),
    /// Sent by a program whose user agent has this in it, in any case.
    UserAgent(String),
}

/// Why a text is no exclusion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ExclusionError {
    /// No kind that is known.
    #[error(
        "an exclusion is network=CIDR, country=XX, host=NAME, path=/PREFIX, referrer=HOST or user-agent=TEXT"
    )]
    Kind,
    /// Not an address, and no network.
    #[error("a network looks like 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32")]
    Network,
    /// Not two letters.
    #[error("a country is two letters of ISO 3166-1, for example HR")]
    Country,
    /// Empty, or with a path or port in it.
    #[error("a host is a name alone, for example staging.shop.example")]
    Host,
    /// Not a path.
    #[error("a path begins with a slash")]
    Path,
    /// Every program's.
    #[error("a user agent's text has at least 3 letters, or it would exclude everybody")]
    UserAgent,
    /// Longer than is kept.
    #[error("an exclusion has at most {TEXT_BYTES_MAX} bytes")]
    TooLong,
}

impl FromStr for Exclusion {
    type Err = ExclusionError;

    fn from_str(text: &str) -> Result<Self, ExclusionError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(ExclusionError::TooLong);
        }
        let (kind, what) = text.split_once('=').ok_or(ExclusionError::Kind)?;
        let checked = |holds: bool, error| if holds { Ok(()) } else { Err(error) };
        match kind {
            "network" => {
                let address = || what.parse::<IpAddr>().map(IpNet::from);
                let network = what.parse::<IpNet>().or_else(|_| address());
                Ok(Self::Network(network.map_err(|_| ExclusionError::Network)?.trunc()))
            }
            "country" => {
                let letters = what.len() == 2 && what.bytes().all(|b| b.is_ascii_alphabetic());
                checked(letters, ExclusionError::Country)?;
                Ok(Self::Country(what.to_ascii_uppercase()))
            }
            "host" | "referrer" => {
                let bare = !what.is_empty() && !what.contains(['/', ':', ' ', '@']);
                checked(bare, ExclusionError::Host)?;
                let host = what.to_ascii_lowercase();
                Ok(if kind == "host" { Self::Host(host) } else { Self::Referrer(host) })
            }
            "path" => {
                checked(what.starts_with('/'), ExclusionError::Path)?;
                Ok(Self::Path(what.to_owned()))
            }
            "user-agent" => {
                checked(what.trim().len() >= 3, ExclusionError::UserAgent)?;
                Ok(Self::UserAgent(what.to_ascii_lowercase()))
            }
            _ => Err(ExclusionError::Kind),
        }
    }
}

impl fmt::Display for Exclusion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => write!(out, "network={network}"),
            Self::Country(country) => write!(out, "country={country}"),
            Self::Host(host) => write!(out, "host={host}"),
            Self::Path(path) => write!(out, "path={path}"),
            Self::Referrer(host) => write!(out, "referrer={host}"),
            Self::UserAgent(text) => write!(out, "user-agent={text}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_as_it_is_written() {
        let cases = [
            ("network=192.0.2.7", "network=192.0.2.7/32"),
            ("network=10.1.2.3/8", "network=10.0.0.0/8"),
            ("country=hr", "country=HR"),
            ("host=Staging.Shop.example", "host=staging.shop.example"),
            ("path=/admin", "path=/admin"),
            ("referrer=Spam.example", "referrer=spam.example"),
            ("user-agent=UptimeRobot/2=x", "user-agent=uptimerobot/2=x"),
        ];
        for (text, shown) in cases {
            let read: Exclusion = text.parse().unwrap();
            assert_eq!(read.to_string(), shown);
            assert_eq!(shown.parse(), Ok(read));
        }
    }

    #[test]
    fn what_is_none_is_told_apart() {
        let cases = [
            ("10.0.0.0/8", ExclusionError::Kind),
            ("colour=red", ExclusionError::Kind),
            ("network=10.0.0", ExclusionError::Network),
            ("country=HRV", ExclusionError::Country),
            ("host=https://a.example", ExclusionError::Host),
            ("referrer=https://a.example/x", ExclusionError::Host),
            ("path=admin", ExclusionError::Path),
            ("user-agent= ", ExclusionError::UserAgent),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<Exclusion>(), Err(error), "{text}");
        }
        let long = format!("path=/{}", "x".repeat(TEXT_BYTES_MAX));
        assert_eq!(long.parse::<Exclusion>(), Err(ExclusionError::TooLong));
    }
}
