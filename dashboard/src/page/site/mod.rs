//! `/sites/SITE`: how a site is doing.

mod funnel;
mod range;
mod ranking;
mod visitors;

use std::sync::Arc;

use analytics::interest::{HALF_LIFE_DEFAULT, Interests};
use analytics::overview::{EventNames, EventNamesReport};
use analytics::query::{Filter, Range};
use analytics::traffic::{Countries, TopPages, VisitorsOverTime};
use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Html;
use store::site::Site;
use url::form_urlencoded;
use wire::SiteName;

use self::funnel::FunnelView;
use self::range::RangeView;
use self::ranking::Ranking;
use self::visitors::VisitorsView;
use super::{Figure, Refused, figures, sites};
use crate::error::Rejection;
use crate::parameters::Parameters;
use crate::server::Dashboard;

const KNOWN: &[&str] = &["from", "to", "step", "window", "by"];

/// Rows of each ranking.
const ROWS: u32 = 10;
/// Events that are suggested as steps.
const SUGGESTIONS: u32 = 12;

#[derive(Template)]
#[template(path = "site.html")]
struct SitePage {
    site: SiteHead,
    range: RangeView,
    /// The tag to paste, while nothing has ever arrived.
    tag: Option<String>,
    visitors: VisitorsView,
    rankings: [Ranking; 3],
    funnel: FunnelView,
}

struct SiteHead {
    name: String,
    origins: String,
    figures: [Figure; 3],
}

pub(super) async fn page(
    State(dashboard): State<Arc<Dashboard>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<(StatusCode, Html<String>), Refused> {
    let parameters = Parameters::read(query.as_deref(), KNOWN)?;
    let range = parameters.range(dashboard.now())?;
    let site = find(&dashboard, name).await?;
    let page = ask(&dashboard, &parameters, &site, range).await?;
    let status = match page.funnel.problem {
        Some(_) => StatusCode::BAD_REQUEST,
        None => StatusCode::OK,
    };
    Ok((status, Html(page.render()?)))
}

async fn find(dashboard: &Dashboard, name: String) -> Result<Site, Rejection> {
    let sites = store::site::list(&dashboard.server).await?;
    let found = sites.into_iter().find(|site| site.name.as_str() == name);
    found.ok_or_else(|| {
        /// A site's name is no longer than this; what is, is not told back whole.
        const SHOWN_CHARACTERS: usize = 63;
        Rejection::SiteUnknown { site: name.chars().take(SHOWN_CHARACTERS).collect() }
    })
}

/// Asks everything the page shows, at once.
async fn ask(
    dashboard: &Dashboard,
    parameters: &Parameters,
    found: &Site,
    range: Range,
) -> Result<SitePage, Rejection> {
    let server = &dashboard.server;
    let (site, filter) = (found.name.clone(), Filter::default());
    let (visitors, pages) = (
        VisitorsOverTime { site: site.clone(), range, interval: None, filter: filter.clone() },
        TopPages { site: site.clone(), range, limit: ROWS, filter: filter.clone() },
    );
    let (countries, interests) = (
        Countries { site: site.clone(), range, limit: ROWS, filter: filter.clone() },
        Interests {
            site: site.clone(),
            visitor: None,
            half_life: HALF_LIFE_DEFAULT,
            limit: ROWS,
            now: dashboard.now(),
            range,
            filter,
        },
    );
    let (visitors, pages, countries, interests, names, funnel) = tokio::try_join!(
        async { visitors.ask(server).await.map_err(Rejection::from) },
        async { pages.ask(server).await.map_err(Rejection::from) },
        async { countries.ask(server).await.map_err(Rejection::from) },
        async { interests.ask(server).await.map_err(Rejection::from) },
        event_names(dashboard, &site, range, SUGGESTIONS),
        funnel::ask(dashboard, parameters, &site, range),
    )?;
    let tag = match visitors.totals.visitors {
        0 => tag(dashboard, &site).await?,
        _ => None,
    };
    Ok(SitePage {
        site: SiteHead {
            name: site.to_string(),
            origins: sites::origins(found),
            figures: figures(visitors.totals),
        },
        range: RangeView::new(&site, parameters, range)?,
        tag,
        rankings: [
            ranking::pages(&pages),
            ranking::countries(&countries),
            ranking::interests(&interests),
        ],
        visitors: VisitorsView::new(&visitors),
        funnel: FunnelView::new(&site, parameters, &names, funnel)?,
    })
}

async fn event_names(
    dashboard: &Dashboard,
    site: &SiteName,
    range: Range,
    limit: u32,
) -> Result<EventNamesReport, Rejection> {
    let names = EventNames { site: site.clone(), range, limit, filter: Filter::default() };
    Ok(names.ask(&dashboard.server).await?)
}

/// The tag to paste, where the site never had an event.
async fn tag(dashboard: &Dashboard, site: &SiteName) -> Result<Option<String>, Rejection> {
    let ever = event_names(dashboard, site, Range::ALL, 1).await?;
    let collector = dashboard.settings.collector_url();
    let tag = format!("<script async src=\"{collector}/s/{site}.js\"></script>");
    Ok(ever.events.is_empty().then_some(tag))
}

/// The site's page with other parameters.
fn address<'a>(site: &SiteName, parameters: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    if query.is_empty() { format!("/sites/{site}") } else { format!("/sites/{site}?{query}") }
}
