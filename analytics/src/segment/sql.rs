//! A rule's visitors, as groups of events.

use clickhouse::Row;
use segment::{ParameterValue, Parameters};
use serde::Deserialize;
use uuid::Uuid;

use super::Segment;
use crate::query::{Filter, Question, Range, Scope};

#[derive(Debug, Deserialize, Row)]
pub(super) struct Member {
    #[serde(with = "clickhouse::serde::uuid")]
    pub(super) visitor_id: Uuid,
}

fn select(segment: &Segment, parameters: &mut Parameters) -> String {
    let scope = Scope { site: &segment.site, range: Range::ALL, filter: &Filter::default() };
    let scope = scope.sql(parameters);
    // The events table's own clock ends before 2106 too.
    let now = u32::try_from(segment.now.as_second().max(0)).unwrap_or(u32::MAX);
    let rule = segment.rule.sql(now, parameters);
    format!(
        "SELECT visitor_id {scope} AND {} GROUP BY visitor_id HAVING {}",
        rule.events, rule.visitors
    )
}

pub(super) fn count(segment: &Segment) -> Question {
    let mut parameters = Parameters::new("segment");
    let select = select(segment, &mut parameters);
    Question::new(format!("SELECT count() FROM ({select})"), &parameters)
}

/// In the order of the ids as text: ClickHouse's own order of UUIDs begins with their second half.
pub(super) fn members(segment: &Segment, limit: Option<u64>) -> Question {
    let mut parameters = Parameters::new("segment");
    let mut text = select(segment, &mut parameters);
    if let Some(limit) = limit {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let limit = parameters.bind(ParameterValue::Integer(limit));
        text.push_str(&format!(" ORDER BY toUInt128(visitor_id) LIMIT {limit}"));
    }
    Question::new(text, &parameters)
}
