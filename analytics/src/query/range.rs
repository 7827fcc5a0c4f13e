//! Over which time a question is asked.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use thiserror::Error;

use super::parse_duration;

/// How far back a question looks where nobody says.
const DAYS_DEFAULT: i64 = 30;

/// Years that the events table's time can hold, with room at both ends.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2200;

/// From when to when; `from` belongs to the range, `to` does not. Where one is missing the range is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Range {
    /// The first moment.
    pub from: Option<Timestamp>,
    /// The first moment after.
    pub to: Option<Timestamp>,
}

/// Two texts that are not a range.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RangeError {
    /// One that is not a moment.
    #[error(
        "{text:?} is not a time; write a date (2024-01-31), RFC 3339 (2024-01-31T12:00:00Z), how long ago (30d), now, or as the beginning: all"
    )]
    Moment {
        /// What it said, cut where it is long.
        text: String,
    },
    /// The end is not after the beginning.
    #[error("the range ends at {to}, which is not after its beginning {from}")]
    Empty {
        /// Its beginning.
        from: Timestamp,
        /// Its end.
        to: Timestamp,
    },
}

impl Range {
    /// Everything.
    pub const ALL: Self = Self { from: None, to: None };

    /// Reads the two ends of a range, each a date (`2024-01-31`, in UTC; as `to` the whole day belongs to
    /// the range), RFC 3339, how long before `now` (`30d`), or `now`. As `from`, `all` is since ever. Without `to`
    /// the range ends at `now`, and without `from` it begins 30 days before its end. `all` without `to` is
    /// everything.
    ///
    /// # Errors
    /// On another text, and on a range that ends before it begins.
    pub fn parse(from: Option<&str>, to: Option<&str>, now: Timestamp) -> Result<Self, RangeError> {
        let to = to.map(|text| moment(text, now, true)).transpose()?;
        let from = match from.map(str::trim) {
            Some("all") => return Ok(Self { from: None, to }),
            Some(text) => moment(text, now, false)?,
            None => {
                let days = SignedDuration::from_hours(24 * DAYS_DEFAULT);
                (to.unwrap_or(now)).saturating_sub(days).unwrap_or(Timestamp::UNIX_EPOCH)
            }
        };
        let to = to.unwrap_or(now);
        if from < to {
            Ok(Self { from: Some(from), to: Some(to) })
        } else {
            Err(RangeError::Empty { from, to })
        }
    }
}

/// One end of a range. A date stands for its first moment, or as the end for the next day's.
fn moment(text: &str, now: Timestamp, is_end: bool) -> Result<Timestamp, RangeError> {
    let refused = || RangeError::Moment { text: text.chars().take(40).collect() };
    let text = text.trim();
    if text == "now" {
        return Ok(now);
    }
    if let Ok(ago) = parse_duration(text) {
        return now.checked_sub(ago).map_err(|_| refused());
    }
    let moment = match text.parse::<Timestamp>() {
        Ok(moment) => moment,
        // jiff also reads a date out of a longer text
        Err(_) if text.len() == "2024-01-31".len() => {
            let date: Date = text.parse().map_err(|_| refused())?;
            let date = if is_end { date.tomorrow().map_err(|_| refused())? } else { date };
            date.to_zoned(TimeZone::UTC).map_err(|_| refused())?.timestamp()
        }
        Err(_) => return Err(refused()),
    };
    let year = moment.to_zoned(TimeZone::UTC).year();
    if YEARS.contains(&year) { Ok(moment) } else { Err(refused()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn range(from: Option<&str>, to: Option<&str>) -> Result<(String, String), RangeError> {
        let range = Range::parse(from, to, at("2024-03-10T12:00:00Z"))?;
        let show = |end: Option<Timestamp>| end.map_or("open".to_owned(), |end| end.to_string());
        Ok((show(range.from), show(range.to)))
    }

    #[test]
    fn reads_dates_moments_and_spans() {
        for (from, to, begins, ends) in [
            (None, None, "2024-02-09T12:00:00Z", "2024-03-10T12:00:00Z"),
            (Some("7d"), None, "2024-03-03T12:00:00Z", "2024-03-10T12:00:00Z"),
            (
                Some("2024-01-01"),
                Some("2024-01-31"),
                "2024-01-01T00:00:00Z",
                "2024-02-01T00:00:00Z",
            ),
            (None, Some("2024-01-31"), "2024-01-02T00:00:00Z", "2024-02-01T00:00:00Z"),
            (
                Some("2024-01-01T10:00:00+01:00"),
                Some("now"),
                "2024-01-01T09:00:00Z",
                "2024-03-10T12:00:00Z",
            ),
            (Some("all"), None, "open", "open"),
            (Some("all"), Some("1h"), "open", "2024-03-10T11:00:00Z"),
        ] {
            assert_eq!(range(from, to), Ok((begins.into(), ends.into())), "{from:?} {to:?}");
        }
    }

    #[test]
    fn refuses_other_texts_and_ranges_of_nothing() {
        for text in [
            "",
            "yesterday",
            "2024-13-01",
            "2024-1-1",
            "0001-01-01",
            "9999-01-01",
            "30",
            "9999999999999d",
        ] {
            assert!(matches!(range(Some(text), None), Err(RangeError::Moment { .. })), "{text}");
        }
        let backwards = range(Some("2024-02-01"), Some("2024-01-01"));
        assert!(matches!(backwards, Err(RangeError::Empty { .. })));
    }
}
