//! The files of the pages: ours, and what the build took from npm. Nothing is loaded from elsewhere.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

use crate::error::{Rejection, StartError};
use crate::respond;

mod npm {
    include!(concat!(env!("OUT_DIR"), "/npm.rs"));
}

/// Hexadecimal digits of the hash in an address: enough that no two builds share one.
const HASH_DIGITS: usize = 16;

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

struct Asset {
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
    hash: String,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let files: [(_, _, Option<&'static [u8]>); 6] = [
        (
            "dashboard.css",
            "text/css; charset=utf-8",
            Some(include_bytes!("../assets/dashboard.css")),
        ),
        ("dashboard.js", JAVASCRIPT, Some(include_bytes!("../assets/dashboard.js"))),
        ("charts.js", JAVASCRIPT, Some(include_bytes!("../assets/charts.js"))),
        ("icon.svg", "image/svg+xml", Some(include_bytes!("../assets/icon.svg"))),
        ("echarts.js", JAVASCRIPT, npm::ECHARTS),
        ("htmx.js", JAVASCRIPT, npm::HTMX),
    ];
    let there = |(name, content_type, bytes): (_, _, Option<&'static [u8]>)| {
        let bytes = bytes?;
        let mut hash = hex::encode(Sha256::digest(bytes));
        hash.truncate(HASH_DIGITS);
        Some(Asset { name, content_type, bytes, hash })
    };
    files.into_iter().filter_map(there).collect()
});

/// Tells whether the build took what the pages need.
pub(crate) fn check() -> Result<(), StartError> {
    let needed = [("echarts.js", npm::ECHARTS.is_some()), ("htmx.js", npm::HTMX.is_some())];
    match needed.into_iter().find(|(_, there)| !there) {
        Some((file, _)) => Err(StartError::NoAssets { file }),
        None => Ok(()),
    }
}

/// Where a page finds a file. The address changes with the file, so browsers may keep it for good.
pub(crate) fn url(name: &str) -> String {
    let found = ASSETS.iter().find(|asset| asset.name == name);
    let hash = found.map_or("missing", |asset| asset.hash.as_str());
    format!("/assets/{hash}/{name}")
}

pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/assets/{hash}/{name}", get(asset))
}

async fn asset(Path((hash, name)): Path<(String, String)>) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name && asset.hash == hash) else {
        return respond::refused("/assets", &Rejection::NotFound);
    };
    let kept = HeaderValue::from_static("public, max-age=31536000, immutable");
    let kind = HeaderValue::from_static(asset.content_type);
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, kept)], asset.bytes).into_response()
}
