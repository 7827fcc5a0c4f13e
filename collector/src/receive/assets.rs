//! The tracker's files: the loader, made for each site, and what it fetches.

use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};
use sha2::{Digest, Sha256};
use wire::SiteName;

use super::respond::{Answered, file};

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
/// The loader names the version of everything else, so it is asked for again soon.
const LOADER_CACHE: &str = "public, max-age=300, stale-while-revalidate=86400";
/// A name with a hash never means anything else.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// What the program serves to pages.
#[derive(Clone, Debug)]
pub struct Assets {
    loader: Arc<str>,
    glue: Bytes,
    wasm: Bytes,
    version: String,
}

impl Assets {
    /// The files built into the program; `None` if it was built without them.
    #[must_use]
    pub fn built_in() -> Option<Self> {
        let loader = std::str::from_utf8(LOADER?).ok()?;
        Some(Self::new(loader, GLUE?, WASM?))
    }

    /// These files: the loader with its words not yet replaced, the JavaScript beside the
    /// WebAssembly, and that.
    #[must_use]
    pub fn new(loader: &str, glue: &'static [u8], wasm: &'static [u8]) -> Self {
        let digest = Sha256::new().chain_update(glue).chain_update(wasm).finalize();
        let version = hex::encode(digest).chars().take(16).collect();
        Self {
            loader: loader.into(),
            glue: Bytes::from_static(glue),
            wasm: Bytes::from_static(wasm),
            version,
        }
    }

    /// What stands in the names of the files that never change.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// `/s/footfall-HASH.js` and `.wasm`; `None` for another hash.
    pub(crate) fn tracker(&self, name: &str) -> Option<Answered> {
        let suffix = name.strip_prefix("footfall-")?.strip_prefix(self.version.as_str())?;
        match suffix {
            ".js" => Some(file(JAVASCRIPT, self.glue.clone(), IMMUTABLE)),
            ".wasm" => Some(file("application/wasm", self.wasm.clone(), IMMUTABLE)),
            _ => None,
        }
    }

    /// `/s/SITE.js`, or that the browser's copy is still good.
    pub(crate) fn loader(&self, site: &SiteName, headers: &HeaderMap) -> Answered {
        // A site's name and a hash need no escaping in JSON.
        let word = |text: &str| format!("\"{text}\"");
        let body = self
            .loader
            .replace("__FOOTFALL_SITE__", &word(site.as_str()))
            .replace("__FOOTFALL_VERSION__", &word(&self.version));
        let digest = hex::encode(Sha256::digest(&body));
        let tag = format!("\"{}\"", digest.get(..16).unwrap_or(&digest));
        let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        let mut response = file(JAVASCRIPT, body.into(), LOADER_CACHE);
        if known.is_some_and(|known| {
            known.split(',').any(|known| known.trim().trim_start_matches("W/") == tag)
        }) {
            let (parts, _) = response.into_parts();
            response = Response::from_parts(parts, Bytes::new().into());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response.headers_mut().remove(header::CONTENT_TYPE);
        }
        if let Ok(tag) = HeaderValue::try_from(tag) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }
}
