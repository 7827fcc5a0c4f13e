//! `/api/v1/funnel`

use std::sync::Arc;

use analytics::funnel::{By, Funnel, Report, Step, Window};
use analytics::query::Range;
use axum::Json;
use axum::extract::{RawQuery, State};
use wire::SiteName;

use super::Answer;
use crate::error::Rejection;
use crate::parameters::{Parameters, unparsed};
use crate::server::Dashboard;

const KNOWN: &[&str] = &["site", "step", "window", "by", "from", "to", "filter"];

/// As on the command line: longer than nearly any purchase takes.
pub(crate) const WINDOW_DEFAULT: &str = "30d";

const STEP_HINT: &str = "a step is an event's name, or a name and a condition: page_view where path = \"/cart\"; step= is given once for each, up to 32 times";
const WINDOW_HINT: &str = "how long a visit through the funnel may take: 30m, 1d, or none";
const BY_HINT: &str = "by=visitor, by=session or by=user";

pub(crate) async fn answer(
    State(dashboard): State<Arc<Dashboard>>,
    RawQuery(query): RawQuery,
) -> Answer<Report> {
    let parameters = Parameters::read(query.as_deref(), KNOWN)?;
    let range = parameters.range(dashboard.now())?;
    let site = super::site(&dashboard, &parameters).await?;
    let funnel = question(&parameters, site, range)?;
    Ok(Json(funnel.ask(&dashboard.server).await?))
}

/// The funnel that the parameters tell.
pub(crate) fn question(
    parameters: &Parameters,
    site: SiteName,
    range: Range,
) -> Result<Funnel, Rejection> {
    let mut steps = Vec::new();
    for text in parameters.all("step") {
        steps.push(text.parse::<Step>().map_err(|error| unparsed("step", &error, STEP_HINT))?);
    }
    if steps.is_empty() {
        return Err(Rejection::ParameterMissing { name: "step", hint: STEP_HINT });
    }
    let window = parameters.parsed("window", WINDOW_HINT)?;
    let by = parameters.parsed("by", BY_HINT)?.unwrap_or(By::Visitor);
    let filter = parameters.filter()?;
    Ok(Funnel { site, steps, window: window.unwrap_or_else(window_default), by, range, filter })
}

fn window_default() -> Window {
    WINDOW_DEFAULT.parse().expect("the default window reads as a window")
}
