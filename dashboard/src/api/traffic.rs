//! `/api/v1/traffic/...`

use std::sync::Arc;

use analytics::traffic::{
    Countries, CountriesReport, LIMIT_DEFAULT, PagesReport, TopPages, VisitorsOverTime,
    VisitorsReport,
};
use axum::Json;
use axum::extract::{RawQuery, State};

use super::Answer;
use crate::parameters::{LIMIT_HINT, Parameters};
use crate::server::Dashboard;

const RANKING: &[&str] = &["site", "limit", "from", "to", "filter"];

pub(crate) async fn visitors(
    State(dashboard): State<Arc<Dashboard>>,
    RawQuery(query): RawQuery,
) -> Answer<VisitorsReport> {
    const KNOWN: &[&str] = &["site", "interval", "from", "to", "filter"];
    let parameters = Parameters::read(query.as_deref(), KNOWN)?;
    let visitors = VisitorsOverTime {
        range: parameters.range(dashboard.now())?,
        interval: parameters.parsed("interval", "interval is hour, day, week or month")?,
        filter: parameters.filter()?,
        site: super::site(&dashboard, &parameters).await?,
    };
    Ok(Json(visitors.ask(&dashboard.server).await?))
}

pub(crate) async fn pages(
    State(dashboard): State<Arc<Dashboard>>,
    RawQuery(query): RawQuery,
) -> Answer<PagesReport> {
    let parameters = Parameters::read(query.as_deref(), RANKING)?;
    let pages = TopPages {
        range: parameters.range(dashboard.now())?,
        limit: parameters.parsed("limit", LIMIT_HINT)?.unwrap_or(LIMIT_DEFAULT),
        filter: parameters.filter()?,
        site: super::site(&dashboard, &parameters).await?,
    };
    Ok(Json(pages.ask(&dashboard.server).await?))
}

pub(crate) async fn countries(
    State(dashboard): State<Arc<Dashboard>>,
    RawQuery(query): RawQuery,
) -> Answer<CountriesReport> {
    let parameters = Parameters::read(query.as_deref(), RANKING)?;
    let countries = Countries {
        range: parameters.range(dashboard.now())?,
        limit: parameters.parsed("limit", LIMIT_HINT)?.unwrap_or(LIMIT_DEFAULT),
        filter: parameters.filter()?,
        site: super::site(&dashboard, &parameters).await?,
    };
    Ok(Json(countries.ask(&dashboard.server).await?))
}
