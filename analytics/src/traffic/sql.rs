//! Traffic as counts of distinct ids. `uniqExact`, because a count that is nearly right cannot be compared
//! with another.

use clickhouse::Row;
use jiff::Timestamp;
use segment::{ParameterValue, Parameters};
use serde::Deserialize;

use super::{Countries, Interval, TopPages, VisitorsOverTime};
use crate::query::{Question, Range, Scope};

const COUNTS: &str = "uniqExact(visitor_id) AS visitors, uniqExact(session_id) AS sessions, \
    countIf(kind = 'page_view') AS page_views";

/// The range as a whole.
#[derive(Debug, Default, Deserialize, Row)]
pub(super) struct WholeRow {
    /// Milliseconds since 1970; 0 where there are no events.
    first: i64,
    last: i64,
    pub(super) visitors: u64,
    pub(super) sessions: u64,
    pub(super) page_views: u64,
}

impl WholeRow {
    /// The range, closed by the events where it is open.
    pub(super) fn extent(&self, range: Range) -> (Timestamp, Timestamp) {
        let moment = |millis| Timestamp::from_millisecond(millis).unwrap_or_default();
        let from = range.from.unwrap_or_else(|| moment(self.first));
        let after_last = if self.visitors == 0 { self.last } else { self.last + 1 };
        (from, range.to.unwrap_or_else(|| moment(after_last)))
    }
}

#[derive(Debug, Deserialize, Row)]
pub(super) struct PointRow {
    /// Seconds since 1970.
    pub(super) at: i64,
    pub(super) visitors: u64,
    pub(super) sessions: u64,
    pub(super) page_views: u64,
}

#[derive(Debug, Deserialize, Row)]
pub(super) struct PageRow {
    pub(super) host: String,
    pub(super) path: String,
    pub(super) title: String,
    pub(super) page_views: u64,
    pub(super) visitors: u64,
}

#[derive(Debug, Deserialize, Row)]
pub(super) struct CountryRow {
    pub(super) country: String,
    pub(super) visitors: u64,
    pub(super) sessions: u64,
    pub(super) page_views: u64,
}

pub(super) fn whole(asked: &VisitorsOverTime) -> Question {
    let mut parameters = Parameters::new("traffic");
    let scope = Scope { site: &asked.site, range: asked.range, filter: &asked.filter };
    let scope = scope.sql(&mut parameters);
    let text = format!(
        "SELECT toUnixTimestamp64Milli(min(occurred_at)) AS first, \
           toUnixTimestamp64Milli(max(occurred_at)) AS last, {COUNTS} {scope}"
    );
    Question::new(text, &parameters)
}

/// Intervals without events have no row.
pub(super) fn over_time(asked: &VisitorsOverTime, interval: Interval) -> Question {
    let mut parameters = Parameters::new("traffic");
    let scope = Scope { site: &asked.site, range: asked.range, filter: &asked.filter };
    let scope = scope.sql(&mut parameters);
    let interval = parameters.bind(ParameterValue::Text(interval.as_str().to_owned()));
    let text = format!(
        "SELECT toInt64(toUnixTimestamp(toDateTime(dateTrunc({interval}, occurred_at, 'UTC'), 'UTC'))) AS at, {COUNTS} \
         {scope} GROUP BY at ORDER BY at"
    );
    Question::new(text, &parameters)
}

/// The title is the latest that the page had.
pub(super) fn pages(asked: &TopPages) -> Question {
    let mut parameters = Parameters::new("traffic");
    let scope = Scope { site: &asked.site, range: asked.range, filter: &asked.filter };
    let scope = scope.sql(&mut parameters);
    let limit = parameters.bind(ParameterValue::Integer(asked.limit.into()));
    let text = format!(
        "SELECT host, path, argMax(title, occurred_at) AS title, count() AS page_views, \
           uniqExact(visitor_id) AS visitors \
         {scope} AND kind = 'page_view' \
         GROUP BY host, path ORDER BY page_views DESC, visitors DESC, host, path LIMIT {limit}"
    );
    Question::new(text, &parameters)
}

pub(super) fn countries(asked: &Countries) -> Question {
    let mut parameters = Parameters::new("traffic");
    let scope = Scope { site: &asked.site, range: asked.range, filter: &asked.filter };
    let scope = scope.sql(&mut parameters);
    let limit = parameters.bind(ParameterValue::Integer(asked.limit.into()));
    let text = format!(
        "SELECT country, {COUNTS} {scope} \
         GROUP BY country ORDER BY visitors DESC, sessions DESC, country LIMIT {limit}"
    );
    Question::new(text, &parameters)
}
