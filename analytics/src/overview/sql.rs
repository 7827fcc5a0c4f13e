//! The overview questions.

use clickhouse::Row;
use segment::{ParameterValue, Parameters};
use serde::Deserialize;

use super::{EventNames, Sites};
use crate::query::{Question, Scope};

#[derive(Debug, Deserialize, Row)]
pub(super) struct SiteRow {
    pub(super) site: String,
    pub(super) visitors: u64,
    pub(super) sessions: u64,
    pub(super) page_views: u64,
}

#[derive(Debug, Deserialize, Row)]
pub(super) struct EventNameRow {
    pub(super) name: String,
    pub(super) events: u64,
    pub(super) visitors: u64,
}

/// As many sites as there may be.
pub(super) fn sites(asked: &Sites) -> Question {
    let mut parameters = Parameters::new("overview");
    let mut text = String::from(
        "SELECT site, uniqExact(visitor_id) AS visitors, uniqExact(session_id) AS sessions, \
           countIf(kind = 'page_view') AS page_views FROM events FINAL WHERE 1",
    );
    for (end, sign) in [(asked.range.from, ">="), (asked.range.to, "<")] {
        if let Some(end) = end {
            let end = parameters.bind(ParameterValue::Integer(end.as_millisecond()));
            text.push_str(&format!(" AND occurred_at {sign} fromUnixTimestamp64Milli({end})"));
        }
    }
    let sites_max = parameters.bind(ParameterValue::Integer(store::site::SITES_MAX.into()));
    text.push_str(&format!(" GROUP BY site ORDER BY site LIMIT {sites_max}"));
    Question::new(text, &parameters)
}

pub(super) fn event_names(asked: &EventNames) -> Question {
    let mut parameters = Parameters::new("overview");
    let scope = Scope { site: &asked.site, range: asked.range, filter: &asked.filter };
    let scope = scope.sql(&mut parameters);
    let limit = parameters.bind(ParameterValue::Integer(asked.limit.into()));
    let text = format!(
        "SELECT name, count() AS events, uniqExact(visitor_id) AS visitors {scope} \
         GROUP BY name ORDER BY visitors DESC, events DESC, name LIMIT {limit}"
    );
    Question::new(text, &parameters)
}
