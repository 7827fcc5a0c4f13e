//! Interests as a sum that decays.

use clickhouse::Row;
use segment::{ParameterValue, Parameters};
use serde::Deserialize;

use super::Interests;
use crate::query::{Question, Scope};

#[derive(Debug, Deserialize, Row)]
pub(super) struct InterestRow {
    pub(super) category: String,
    pub(super) score: f64,
    pub(super) visitors: u64,
    pub(super) views: u64,
}

/// Equal scores are told by name, so that an answer does not change by itself.
pub(super) fn question(interests: &Interests) -> Question {
    let mut parameters = Parameters::new("interest");
    let scope = Scope { site: &interests.site, range: interests.range, filter: &interests.filter };
    let mut scope = scope.sql(&mut parameters);
    if let Some(visitor) = interests.visitor {
        let visitor = parameters.bind(ParameterValue::Text(visitor.to_string()));
        scope.push_str(&format!(" AND visitor_id = toUUID({visitor})"));
    }
    let half_life = i64::try_from(interests.half_life.as_millis()).unwrap_or(i64::MAX);
    let half_life = parameters.bind(ParameterValue::Integer(half_life));
    let now = parameters.bind(ParameterValue::Integer(interests.now.as_millisecond()));
    let limit = parameters.bind(ParameterValue::Integer(interests.limit.into()));
    let text = format!(
        "SELECT arrayJoin(arrayDistinct(categories)) AS category, \
           sum(exp2((toUnixTimestamp64Milli(occurred_at) - {now}) / {half_life})) AS score, \
           uniqExact(visitor_id) AS visitors, count() AS views \
         {scope} AND kind = 'page_view' AND occurred_at <= fromUnixTimestamp64Milli({now}) \
         GROUP BY category ORDER BY score DESC, category LIMIT {limit}"
    );
    Question::new(text, &parameters)
}
