//! When an event happened, in the many ways files say it.

use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// Why times cannot be read by a map.
#[derive(Debug, thiserror::Error)]
pub enum TimeFormError {
    /// A zone nobody knows.
    #[error("time_zone is {zone:?}, which is no IANA time zone; one is \"Europe/Zagreb\"")]
    Zone {
        /// As written.
        zone: String,
    },
    /// A pattern that is none, or does not give a whole date and time of day.
    #[error(
        "time_format is {format:?}, which gives no date and time; use \"unix_seconds\", \"unix_millis\" or a pattern such as \"%d/%m/%Y %H:%M\""
    )]
    Format {
        /// As written.
        format: String,
        /// Where there is more to say.
        #[source]
        source: Option<jiff::Error>,
    },
}

/// How the times of one file are read.
#[derive(Clone, Debug)]
pub(super) struct Times {
    form: Form,
    /// Of times that name no zone. An hour that a clock change leaves out is taken as after it; one
    /// that comes twice, as the first.
    zone: TimeZone,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    /// RFC 3339, or the same without a zone.
    Rfc3339,
    UnixSeconds,
    UnixMillis,
    /// A pattern of strftime.
    Pattern(String),
}

impl Times {
    pub(super) fn new(zone: Option<&str>, form: Option<&str>) -> Result<Self, TimeFormError> {
        let zone = match zone {
            None => TimeZone::UTC,
            Some(zone) => {
                TimeZone::get(zone).map_err(|_| TimeFormError::Zone { zone: zone.to_owned() })?
            }
        };
        let form = match form {
            None => Form::Rfc3339,
            Some("unix_seconds") => Form::UnixSeconds,
            Some("unix_millis") => Form::UnixMillis,
            Some(pattern) => Form::Pattern(check(pattern)?),
        };
        Ok(Self { form, zone })
    }

    /// Milliseconds since 1970; `None` for a text that is not such a time.
    pub(super) fn millis(&self, text: &str) -> Option<i64> {
        match &self.form {
            Form::Rfc3339 => self.rfc3339(text),
            Form::UnixSeconds => seconds(text),
            Form::UnixMillis => text.parse().ok(),
            Form::Pattern(pattern) => self.pattern(pattern, text),
        }
    }

    /// What a time looks like, for whoever has one that does not.
    pub(super) fn expected(&self) -> &str {
        match &self.form {
            Form::Rfc3339 => "YYYY-MM-DD HH:MM:SS or RFC 3339",
            Form::UnixSeconds => "seconds since 1970",
            Form::UnixMillis => "whole milliseconds since 1970",
            Form::Pattern(pattern) => pattern,
        }
    }

    fn rfc3339(&self, text: &str) -> Option<i64> {
        if let Ok(time) = text.parse::<Timestamp>() {
            return Some(time.as_millisecond());
        }
        // `[Europe/Zagreb]` behind a time would be dropped, and the time be another one.
        let civil = text.parse::<DateTime>().ok().filter(|_| !text.contains('['))?;
        self.in_zone(civil)
    }

    fn pattern(&self, pattern: &str, text: &str) -> Option<i64> {
        let read = strtime::parse(pattern, text).ok()?;
        match read.to_timestamp() {
            Ok(time) => Some(time.as_millisecond()),
            Err(_) if read.offset().is_none() && read.iana_time_zone().is_none() => {
                self.in_zone(read.to_datetime().ok()?)
            }
            Err(_) => None,
        }
    }

    fn in_zone(&self, civil: DateTime) -> Option<i64> {
        let time = self.zone.to_ambiguous_timestamp(civil).compatible().ok()?;
        Some(time.as_millisecond())
    }
}

/// A pattern must read back what it writes, else every row of a file would be bad.
fn check(pattern: &str) -> Result<String, TimeFormError> {
    let refused = |source| TimeFormError::Format { format: pattern.to_owned(), source };
    let sample = Zoned::new(Timestamp::UNIX_EPOCH, TimeZone::UTC);
    let written = strtime::format(pattern, &sample).map_err(|error| refused(Some(error)))?;
    let times = Times { form: Form::Pattern(pattern.to_owned()), zone: TimeZone::UTC };
    match times.millis(&written) {
        Some(0) => Ok(pattern.to_owned()),
        _ => Err(refused(None)),
    }
}

/// Whole seconds, or with a fraction, of which three digits count.
fn seconds(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let whole: i64 = whole.parse().ok().filter(|whole| *whole >= 0)?;
    whole.checked_mul(1000)?.checked_add(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(zone: Option<&str>, form: Option<&str>, text: &str) -> Option<i64> {
        Times::new(zone, form).unwrap().millis(text)
    }

    /// 2024-03-20T19:38:38Z
    const TIME: i64 = 1_710_963_518_000;

    #[test]
    fn reads_the_usual_forms_without_being_told() {
        for text in [
            "2024-03-20 19:38:38",
            "2024-03-20T19:38:38.000",
            "2024-03-20T19:38:38Z",
            "2024-03-20 20:38:38+01:00",
        ] {
            assert_eq!(millis(None, None, text), Some(TIME), "{text}");
        }
        assert_eq!(millis(None, None, "2024-03-20 19:38:38.25"), Some(TIME + 250));
        for text in ["", "yesterday", "1710963518", "20/03/2024", "2024-02-30 00:00:00"] {
            assert_eq!(millis(None, None, text), None, "{text}");
        }
        assert_eq!(millis(None, None, "2024-03-20T19:38:38[Europe/Zagreb]"), None);
    }

    #[test]
    fn the_zone_holds_for_times_that_name_none() {
        let zone = Some("Europe/Zagreb");
        assert_eq!(millis(zone, None, "2024-03-20 20:38:38"), Some(TIME));
        assert_eq!(millis(zone, None, "2024-03-20T19:38:38Z"), Some(TIME));
        assert_eq!(millis(zone, Some("%d.%m.%Y %H:%M:%S"), "20.03.2024 20:38:38"), Some(TIME));
        assert_eq!(millis(zone, Some("%d.%m.%Y %T %z"), "20.03.2024 19:38:38 +0000"), Some(TIME));
    }

    #[test]
    fn reads_unix_times_when_told() {
        assert_eq!(millis(None, Some("unix_seconds"), "1710963518"), Some(TIME));
        assert_eq!(millis(None, Some("unix_seconds"), "1710963518.25"), Some(TIME + 250));
        assert_eq!(millis(None, Some("unix_millis"), "1710963518000"), Some(TIME));
        for text in ["1.", "1.x", "", "-1", "1e9", "99999999999999999999", "9223372036854775807"] {
            assert_eq!(millis(None, Some("unix_seconds"), text), None, "{text}");
        }
    }

    #[test]
    fn refuses_zones_and_patterns_that_are_none() {
        for pattern in ["", "%H:%M", "%Y-%m", "%q", "time"] {
            let error = Times::new(None, Some(pattern)).unwrap_err();
            assert!(matches!(error, TimeFormError::Format { .. }), "{pattern}: {error}");
        }
        let error = Times::new(Some("Mars/Olympus"), None).unwrap_err();
        assert!(error.to_string().contains("Mars/Olympus"), "{error}");
    }
}
