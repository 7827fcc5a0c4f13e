//! `/`: the sites, and how the last 30 days were.

use std::collections::HashMap;
use std::sync::Arc;

use analytics::overview::Sites;
use analytics::query::Range;
use analytics::traffic::Totals;
use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Html;
use store::site::Site;

use super::{Figure, Refused, figures};
use crate::error::Rejection;
use crate::parameters::{Parameters, invalid};
use crate::server::Dashboard;

#[derive(Template)]
#[template(path = "sites.html")]
struct SitesPage {
    sites: Vec<SiteCard>,
}

struct SiteCard {
    name: String,
    origins: String,
    figures: [Figure; 3],
}

pub(super) async fn page(
    State(dashboard): State<Arc<Dashboard>>,
    RawQuery(query): RawQuery,
) -> Result<Html<String>, Refused> {
    Parameters::read(query.as_deref(), &[])?;
    let range = Range::parse(Some("30d"), None, dashboard.now());
    let range = range.map_err(|why| invalid("from", &why, "the clock of this machine is wrong"))?;
    let server = &dashboard.server;
    let (sites, report) = tokio::try_join!(
        async { store::site::list(server).await.map_err(Rejection::from) },
        async { Sites { range }.ask(server).await.map_err(Rejection::from) },
    )?;
    let totals: HashMap<String, Totals> =
        report.sites.into_iter().map(|row| (row.site, row.totals)).collect();
    let sites = sites.iter().map(|site| SiteCard {
        name: site.name.to_string(),
        origins: origins(site),
        figures: figures(totals.get(site.name.as_str()).copied().unwrap_or_default()),
    });
    Ok(Html(SitesPage { sites: sites.collect() }.render()?))
}

/// Where a site's pages are, in words.
pub(super) fn origins(site: &Site) -> String {
    let origins: Vec<_> = site.settings.origins.iter().map(ToString::to_string).collect();
    origins.join(", ")
}
