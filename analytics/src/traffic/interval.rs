//! The distance of a time series' points. All in UTC.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan, Unit, Zoned};
use serde::Serialize;
use thiserror::Error;

/// The distance of a time series' points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// 60 minutes.
    Hour,
    /// From midnight UTC.
    Day,
    /// From Monday.
    Week,
    /// From the first.
    Month,
}

/// A text that is not an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an interval is hour, day, week or month")]
pub struct IntervalError;

impl FromStr for Interval {
    type Err = IntervalError;

    fn from_str(text: &str) -> Result<Self, IntervalError> {
        Self::ALL.into_iter().find(|one| one.as_str() == text.trim()).ok_or(IntervalError)
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl Interval {
    /// Each, the shortest first.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];

    /// Its word, which is ClickHouse's too.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// The shortest that gives a line one can read: hours of two days, days of a quarter, weeks of two years.
    #[must_use]
    pub fn suiting(from: Timestamp, to: Timestamp) -> Self {
        const HOURS_PER_DAY: i64 = 24;
        match to.duration_since(from).as_hours() {
            ..=48 => Self::Hour,
            hours if hours <= 100 * HOURS_PER_DAY => Self::Day,
            hours if hours <= 750 * HOURS_PER_DAY => Self::Week,
            _ => Self::Month,
        }
    }

    fn span(self) -> Span {
        match self {
            Self::Hour => 1.hour(),
            Self::Day => 1.day(),
            Self::Week => 1.week(),
            Self::Month => 1.month(),
        }
    }

    /// The start of the interval that `moment` lies in; `None` at the end of all time.
    fn start(self, moment: Timestamp) -> Option<Zoned> {
        let moment = moment.to_zoned(TimeZone::UTC);
        if self == Self::Hour {
            let floor = jiff::ZonedRound::new().smallest(Unit::Hour).mode(jiff::RoundMode::Floor);
            return moment.round(floor).ok();
        }
        let day = moment.date();
        let first = match self {
            Self::Hour | Self::Day => day,
            Self::Week => {
                let back = day.weekday().since(Weekday::Monday);
                day.checked_sub(i64::from(back).days()).ok()?
            }
            Self::Month => day.first_of_month(),
        };
        first.to_zoned(TimeZone::UTC).ok()
    }

    /// The starts of all intervals that [from, to) touches.
    ///
    /// # Errors
    /// With a number above `points_max`, where there are more.
    pub(super) fn starts(
        self,
        from: Timestamp,
        to: Timestamp,
        points_max: usize,
    ) -> Result<Vec<Timestamp>, usize> {
        let mut starts = Vec::new();
        let mut next = self.start(from);
        while let Some(start) = next.filter(|start| start.timestamp() < to) {
            if starts.len() == points_max {
                return Err(self.estimate(from, to).max(points_max + 1));
            }
            starts.push(start.timestamp());
            next = start.checked_add(self.span()).ok();
        }
        Ok(starts)
    }

    fn estimate(self, from: Timestamp, to: Timestamp) -> usize {
        let hours = match self {
            Self::Hour => 1,
            Self::Day => 24,
            Self::Week => 7 * 24,
            Self::Month => 30 * 24,
        };
        usize::try_from(to.duration_since(from).as_hours() / hours).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(interval: Interval, from: &str, to: &str) -> Vec<String> {
        let starts = interval.starts(from.parse().unwrap(), to.parse().unwrap(), 10).unwrap();
        starts.iter().map(Timestamp::to_string).collect()
    }

    #[test]
    fn begins_where_the_interval_begins() {
        let (from, to) = ("2024-02-28T23:30:00Z", "2024-03-01T00:00:01Z");
        assert_eq!(
            starts(Interval::Day, from, to),
            ["2024-02-28T00:00:00Z", "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"]
        );
        assert_eq!(starts(Interval::Week, from, to), ["2024-02-26T00:00:00Z"]);
        assert_eq!(
            starts(Interval::Month, from, to),
            ["2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"]
        );
        assert_eq!(
            starts(Interval::Hour, from, "2024-02-29T01:00:00Z"),
            ["2024-02-28T23:00:00Z", "2024-02-29T00:00:00Z"]
        );
    }

    #[test]
    fn refuses_more_points_than_may_be() {
        let (from, to) =
            ("2024-01-01T00:00:00Z".parse().unwrap(), "2024-01-12T00:00:00Z".parse().unwrap());
        assert_eq!(Interval::Day.starts(from, to, 10), Err(11));
        assert_eq!(Interval::Hour.starts(from, to, 10), Err(264));
    }
}
