//! Visitors over time, as the rows of a table. The chart is drawn from them.

use analytics::traffic::{Interval, VisitorsReport};

use super::range::shown;
use crate::page::number::grouped;

pub(super) struct VisitorsView {
    /// What one point is, in words.
    pub(super) interval: &'static str,
    /// The heading of the first column.
    pub(super) time: &'static str,
    pub(super) points: Vec<PointView>,
}

/// Numbers stand as they are, for the chart, and as they are read.
pub(super) struct PointView {
    /// Where the axis has little room.
    pub(super) short: String,
    pub(super) label: String,
    pub(super) visitors: (u64, String),
    pub(super) sessions: (u64, String),
    pub(super) page_views: (u64, String),
}

impl VisitorsView {
    pub(super) fn new(report: &VisitorsReport) -> Self {
        let (interval, time, short, long) = match report.interval {
            Interval::Hour => ("By hour", "Hour", "%H:%M", "%-d %b %Y %H:%M"),
            Interval::Day => ("By day", "Day", "%-d %b", "%a %-d %b %Y"),
            Interval::Week => ("By week", "Week from", "%-d %b", "%-d %b %Y"),
            Interval::Month => ("By month", "Month", "%b %Y", "%B %Y"),
        };
        let both = |number| (number, grouped(number));
        let points = report.points.iter().map(|point| PointView {
            short: shown(point.at, short),
            label: shown(point.at, long),
            visitors: both(point.visitors),
            sessions: both(point.sessions),
            page_views: both(point.page_views),
        });
        let somebody = report.totals.visitors > 0;
        Self { interval, time, points: points.filter(|_| somebody).collect() }
    }
}
