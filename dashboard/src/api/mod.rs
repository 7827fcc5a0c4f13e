//! The HTTP API: each report of `analytics`, as it is, in JSON. One file for each concept.

pub(crate) mod audience;
pub(crate) mod funnel;
pub(crate) mod interests;
pub(crate) mod segment;
pub(crate) mod sites;
pub(crate) mod traffic;

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use wire::SiteName;

use crate::error::Rejection;
use crate::parameters::Parameters;
use crate::respond;
use crate::server::Dashboard;

/// What a site's name looks like, for whoever got it wrong.
pub(crate) const SITE_HINT: &str = "/api/v1/sites lists the sites";

pub(crate) fn routes() -> Router<Arc<Dashboard>> {
    Router::new()
        .route("/healthz", get(health))
        .route("/api/v1/sites", get(sites::answer))
        .route("/api/v1/funnel", get(funnel::answer))
        .route("/api/v1/interests", get(interests::answer))
        .route("/api/v1/segment", get(segment::answer))
        .route("/api/v1/audience/google.csv", get(audience::google))
        .route("/api/v1/traffic/visitors", get(traffic::visitors))
        .route("/api/v1/traffic/pages", get(traffic::pages))
        .route("/api/v1/traffic/countries", get(traffic::countries))
}

/// What a question under `/api/v1` is answered with.
type Answer<Report> = Result<Json<Report>, Refused>;

/// A refusal in JSON.
pub(crate) struct Refused(Rejection);

impl<E: Into<Rejection>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        respond::refused("/api", &self.0)
    }
}

/// The parameter `site`, when there is such a site.
async fn site(dashboard: &Dashboard, parameters: &Parameters) -> Result<SiteName, Rejection> {
    known(dashboard, parameters.required("site", SITE_HINT)?).await
}

/// A site's name, when there is such a site.
pub(crate) async fn known(dashboard: &Dashboard, site: SiteName) -> Result<SiteName, Rejection> {
    match store::site::find(&dashboard.server, &site).await? {
        Some(_) => Ok(site),
        None => Err(Rejection::SiteUnknown { site: site.to_string() }),
    }
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

/// Says that this program answers. Whether ClickHouse does is a question, and not asked here.
async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}
