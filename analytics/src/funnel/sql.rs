//! The funnel as ClickHouse's `windowFunnel`.

use clickhouse::Row;
use segment::{ParameterValue, Parameters};
use serde::Deserialize;

use super::{By, Funnel};
use crate::query::{Question, Scope};

/// Larger than any distance between two events, small enough that a sum with a time does not overflow.
const WINDOW_MILLIS_MAX: i64 = 1 << 60;

/// How many got to a step and no further.
#[derive(Debug, Deserialize, Row)]
pub(super) struct Furthest {
    /// Steps done, from 1.
    pub(super) level: u8,
    pub(super) count: u64,
}

/// `strict_once`: an event that meets two steps is not both. Only events that are a step are read into the
/// aggregation.
pub(super) fn question(funnel: &Funnel) -> Question {
    let mut parameters = Parameters::new("funnel");
    let scope = Scope { site: &funnel.site, range: funnel.range, filter: &funnel.filter };
    let scope = scope.sql(&mut parameters);
    let steps = funnel.steps.iter().map(|step| step.0.sql(&mut parameters));
    let steps: Vec<String> = steps.collect();
    let window = funnel.window.0.map_or(WINDOW_MILLIS_MAX, |window| {
        i64::try_from(window.as_millis()).unwrap_or(i64::MAX).min(WINDOW_MILLIS_MAX)
    });
    let window = parameters.bind(ParameterValue::Integer(window));
    let (whom, known) = match funnel.by {
        By::Visitor => ("visitor_id", ""),
        By::Session => ("session_id", ""),
        By::User => ("user_id", " AND user_id != ''"),
    };
    let text = format!(
        "SELECT level, count() AS count FROM (\
           SELECT windowFunnel({window}, 'strict_once')(toUInt64(toUnixTimestamp64Milli(occurred_at)), {list}) AS level \
           {scope}{known} AND ({any}) GROUP BY {whom}\
         ) WHERE level > 0 GROUP BY level ORDER BY level",
        list = steps.join(", "),
        any = steps.join(" OR "),
    );
    Question::new(text, &parameters)
}
