//! `/api/v1/sites`

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;
use store::site::Site;

use super::Answer;
use crate::parameters::Parameters;
use crate::server::Dashboard;

/// Every site, by name.
#[derive(Serialize)]
pub(crate) struct Sites {
    sites: Vec<Site>,
}

pub(crate) async fn answer(
    State(dashboard): State<Arc<Dashboard>>,
    RawQuery(query): RawQuery,
) -> Answer<Sites> {
    Parameters::read(query.as_deref(), &[])?;
    Ok(Json(Sites { sites: store::site::list(&dashboard.server).await? }))
}
