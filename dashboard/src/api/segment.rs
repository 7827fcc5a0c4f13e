//! `/api/v1/segment`

use std::sync::Arc;

use analytics::segment::{Report, Segment};
use axum::Json;
use axum::extract::{RawQuery, State};
use segment::Rule;

use super::Answer;
use crate::error::Rejection;
use crate::parameters::{Parameters, unparsed};
use crate::server::Dashboard;

const RULE_HINT: &str = "a rule says what visitors did: did add_to_cart at least 2 times in last 30 days and not did purchase";

pub(crate) async fn answer(
    State(dashboard): State<Arc<Dashboard>>,
    RawQuery(query): RawQuery,
) -> Answer<Report> {
    let parameters = Parameters::read(query.as_deref(), &["site", "rule"])?;
    let rule = rule(&parameters)?;
    let site = super::site(&dashboard, &parameters).await?;
    let segment = Segment { site, rule, now: dashboard.now() };
    Ok(Json(segment.ask(&dashboard.server).await?))
}

/// The parameter `rule`.
pub(super) fn rule(parameters: &Parameters) -> Result<Rule, Rejection> {
    let missing = Rejection::ParameterMissing { name: "rule", hint: RULE_HINT };
    let text = parameters.one("rule")?.ok_or(missing)?;
    Rule::parse(text).map_err(|error| unparsed("rule", &error, RULE_HINT))
}
