//! The shop's web server.

use std::future::Future;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use crate::page::{self, Shop};
use crate::product::{self, Product};

/// Where the tag goes, in `pages/layout.html`.
const TAG_PLACE: &str = "<!-- footfall -->";

struct Shelf {
    products: Vec<Product>,
    tag: String,
}

/// Serves the shop on `listener` until `shutdown`, with `tag` verbatim in the head of every page.
///
/// # Errors
///
/// When the table of products cannot be read, or the listener fails.
pub async fn serve(
    listener: TcpListener,
    tag: impl Into<String>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let products = product::all().context("cannot read products.json")?;
    let shelf = Arc::new(Shelf { products, tag: tag.into() });
    let script = |text: &'static str| get(async move || typed("text/javascript", text));
    let router = Router::new()
        .route("/shop.css", get(async || typed("text/css", include_str!("../pages/shop.css"))))
        .route("/cart.js", script(include_str!("../pages/cart.js")))
        .route("/shop.js", script(include_str!("../pages/shop.js")))
        .route("/multi-page.js", script(include_str!("../pages/multi-page.js")))
        .route("/single-page.js", script(include_str!("../pages/single-page.js")))
        .route("/spa", get(async || Redirect::permanent("/spa/")))
        .fallback(get(show))
        .with_state(shelf);
    let served = axum::serve(listener, router).with_graceful_shutdown(shutdown);
    served.await.context("the shop's server failed")
}

async fn show(State(shelf): State<Arc<Shelf>>, address: Uri) -> Response {
    let path = address.path();
    let (base, path) = match path.strip_prefix("/spa/") {
        Some(below) => ("/spa", format!("/{below}")),
        None => ("", path.to_owned()),
    };
    let shop = Shop { base, products: &shelf.products };
    let (status, html) = match page::render(shop, &path) {
        Some(html) => (StatusCode::OK, html),
        None => (StatusCode::NOT_FOUND, page::missing(shop)),
    };
    match html {
        Ok(html) => (status, Html(html.replacen(TAG_PLACE, &shelf.tag, 1))).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn typed(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], text).into_response()
}
