//! The pages, made here on the server. They say everything without a script; scripts draw the charts and spare the
//! reload.

mod country;
mod number;
mod site;
mod sites;

use std::sync::Arc;

use analytics::traffic::Totals;
use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use crate::error::Rejection;
use crate::respond;
use crate::server::Dashboard;

pub(crate) fn routes() -> Router<Arc<Dashboard>> {
    Router::new().route("/", get(sites::page)).route("/sites/{site}", get(site::page))
}

/// One figure and what it counts.
struct Figure {
    name: &'static str,
    value: String,
}

fn figures(totals: Totals) -> [Figure; 3] {
    let figure = |name, value| Figure { name, value: number::grouped(value) };
    [
        figure("Visitors", totals.visitors),
        figure("Sessions", totals.sessions),
        figure("Page views", totals.page_views),
    ]
}

/// A refusal as a page.
struct Refused(Rejection);

impl<E: Into<Rejection>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        respond::refused("/", &self.0)
    }
}

#[derive(Template)]
#[template(path = "refused.html")]
struct RefusedPage {
    title: &'static str,
    message: String,
    hint: String,
}

/// The page for a refusal.
pub(crate) fn refused(rejection: &Rejection) -> Response {
    let spec = rejection.spec();
    let title = match spec.status {
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::SERVICE_UNAVAILABLE => "Not available right now",
        StatusCode::GATEWAY_TIMEOUT => "No answer in time",
        status if status.is_client_error() => "That cannot be shown",
        _ => "Something went wrong",
    };
    let message = sentence(&rejection.to_string());
    match (RefusedPage { title, message, hint: sentence(&spec.hint) }).render() {
        Ok(page) => Html(page).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// An error's text as it stands in a page: with a capital letter.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
