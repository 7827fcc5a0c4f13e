//! `/api/v1/interests`

use std::sync::Arc;

use analytics::interest::{HALF_LIFE_DEFAULT, Interests, LIMIT_DEFAULT, Report};
use analytics::query::parse_duration;
use axum::Json;
use axum::extract::{RawQuery, State};

use super::Answer;
use crate::parameters::{LIMIT_HINT, Parameters, invalid};
use crate::server::Dashboard;

const KNOWN: &[&str] = &["site", "half_life", "limit", "from", "to", "filter"];

const HALF_LIFE_HINT: &str = "how long ago a page view weighs half: 7d, 30d";

pub(crate) async fn answer(
    State(dashboard): State<Arc<Dashboard>>,
    RawQuery(query): RawQuery,
) -> Answer<Report> {
    let parameters = Parameters::read(query.as_deref(), KNOWN)?;
    let now = dashboard.now();
    let half_life = match parameters.one("half_life")? {
        Some(text) => {
            parse_duration(text).map_err(|why| invalid("half_life", &why, HALF_LIFE_HINT))?
        }
        None => HALF_LIFE_DEFAULT,
    };
    let interests = Interests {
        visitor: None,
        half_life,
        limit: parameters.parsed("limit", LIMIT_HINT)?.unwrap_or(LIMIT_DEFAULT),
        now,
        range: parameters.range(now)?,
        filter: parameters.filter()?,
        site: super::site(&dashboard, &parameters).await?,
    };
    Ok(Json(interests.ask(&dashboard.server).await?))
}
