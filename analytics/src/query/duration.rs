//! Lengths of time as a person writes them: `30m`, `12h`, `7d`.

use std::time::Duration;

use thiserror::Error;

/// Units, longest first. A day is 24 hours.
const UNITS: [(char, u64); 5] =
    [('w', 7 * 24 * 3600), ('d', 24 * 3600), ('h', 3600), ('m', 60), ('s', 1)];

/// The longest: a hundred years.
const SECONDS_MAX: u64 = 100 * 366 * 24 * 3600;

/// A text that is not a length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a length of time is a number and one of s, m, h, d, w, for example 30m or 7d")]
pub struct DurationError;

/// Reads `90s`, `30m`, `12h`, `7d`, `2w`.
///
/// # Errors
/// On anything else, on nothing at all, and beyond a hundred years.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let mut letters = text.trim().chars();
    let unit = letters.next_back().ok_or(DurationError)?;
    let (_, seconds) =
        UNITS.into_iter().find(|(letter, _)| *letter == unit).ok_or(DurationError)?;
    let digits = letters.as_str();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DurationError);
    }
    let amount: u64 = digits.parse().map_err(|_| DurationError)?;
    match amount.checked_mul(seconds) {
        Some(seconds @ 1..=SECONDS_MAX) => Ok(Duration::from_secs(seconds)),
        _ => Err(DurationError),
    }
}

/// Writes a length of time in the longest unit that holds it whole, so that it reads back the same.
/// Parts of a second are left out.
#[must_use]
pub fn show_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let whole =
        UNITS.into_iter().find(|(_, unit)| seconds.is_multiple_of(*unit) && seconds >= *unit);
    let (letter, unit) = whole.unwrap_or(('s', 1));
    format!("{}{letter}", seconds / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_shows() {
        for (text, seconds) in [("30m", 1800), ("1d", 86400), ("2w", 1_209_600), ("90s", 90)] {
            let duration = parse_duration(text).unwrap();
            assert_eq!(duration.as_secs(), seconds);
            assert_eq!(show_duration(duration), text);
        }
        assert_eq!(show_duration(Duration::from_secs(7200)), "2h");
    }

    #[test]
    fn refuses_what_is_no_length() {
        for text in
            ["", "d", "30", "-1d", "+1d", "1.5h", "0m", "1y", "99999999999w", "7 d", "९d", "1é"]
        {
            assert_eq!(parse_duration(text), Err(DurationError), "{text}");
        }
    }
}
