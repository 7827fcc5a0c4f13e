//! Whose midnight it is.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_with::{DeserializeFromStr, SerializeDisplay};
use thiserror::Error;

/// A time zone by its name in the IANA database, for example `Europe/Zagreb`.
#[derive(Clone, Debug, PartialEq, Eq, SerializeDisplay, DeserializeFromStr)]
pub struct SiteTimeZone(TimeZone);

/// The text names no time zone.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is no time zone of the IANA database, for example Europe/Zagreb")]
pub struct SiteTimeZoneError(String);

impl SiteTimeZone {
    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// How many minutes its clocks are behind UTC then, as a browser's `getTimezoneOffset` says it: fewer
    /// than nought in the east.
    #[must_use]
    pub fn minutes_behind_utc(&self, at_millis: i64) -> i32 {
        let at = Timestamp::from_millisecond(at_millis).unwrap_or_default();
        -self.0.to_offset(at).seconds() / 60
    }
}

impl FromStr for SiteTimeZone {
    type Err = SiteTimeZoneError;

    fn from_str(text: &str) -> Result<Self, SiteTimeZoneError> {
        TimeZone::get(text)
            .map(Self)
            .map_err(|_| SiteTimeZoneError(text.chars().take(64).collect()))
    }
}

impl fmt::Display for SiteTimeZone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}
