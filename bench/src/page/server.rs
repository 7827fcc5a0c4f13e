//! The pages, the scripts and the sink: the same server for all, so that none has a faster one.
//!
//! It listens twice, as the site and as the collector, which are two origins to the browser. Scripts are
//! compressed once, with brotli at its best.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::contender::{CONTENDERS, Contender, Tag};

const PAGE: &str = include_str!("../../page/page.html");
const PICTURE: &str = include_str!("../../../examples/shop/pages/pictures/stoneware-mug.svg");
/// The picture's path.
pub(crate) const PICTURE_PATH: &str = "/picture.svg";
/// Where the page has its tag.
const TRACKER: &str = "<!-- TRACKER -->";
/// In the packages' set-ups, where events go.
const COLLECTOR: &str = "__COLLECTOR__";
/// What a collector puts into our script for a site without settings.
const BAKED: [(&str, &str); 3] = [
    ("__FOOTFALL_SITE__", "\"shop\""),
    ("__FOOTFALL_VERSION__", "\"footfall-0000000000000000.\""),
    ("__FOOTFALL_SETTINGS__", "{}"),
];
/// As a collector serves it: a character for every byte, for the WebAssembly in it.
const OUR_SCRIPT: &str = "text/javascript; charset=windows-1252";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";

/// What lies at a path.
#[derive(Clone, Debug)]
struct File {
    content_type: &'static str,
    content: Bytes,
    is_compressed: bool,
}

/// A running server; it ends with the program.
#[derive(Debug)]
pub(crate) struct Server {
    /// `http://127.0.0.1:PORT`, whose pages are `/NAME/`.
    pub(crate) site: String,
}

impl Server {
    /// Takes each contender's scripts from its folder in `scripts`.
    pub(crate) async fn start(scripts: &Path) -> Result<Self> {
        let (site, collector) = (listen().await?, listen().await?);
        let address = |listener: &TcpListener| -> Result<String> {
            Ok(format!("http://{}", listener.local_addr()?))
        };
        let (at, collector_at) = (address(&site)?, address(&collector)?);
        let mut files = answers(&collector_at);
        for contender in CONTENDERS {
            files.extend(pages(scripts, &contender, &collector_at)?);
        }
        let files = Arc::new(files);
        tokio::spawn(serve(site, Arc::clone(&files)));
        tokio::spawn(serve(collector, files));
        Ok(Self { site: at })
    }
}

async fn listen() -> Result<TcpListener> {
    Ok(TcpListener::bind("127.0.0.1:0").await?)
}

/// What the packages ask of their makers' servers, where nothing beyond views and clicks is switched on.
fn answers(collector: &str) -> HashMap<String, File> {
    let host = collector.trim_start_matches("http://");
    let segment = format!(
        r#"{{"integrations":{{"Segment.io":{{"apiKey":"bench","apiHost":"{host}/v1","protocol":"http",
        "unbundledIntegrations":[],"addBundledMetadata":true}}}},"plan":{{"track":{{"__default":{{"enabled":true,
        "integrations":{{}}}}}}}},"analyticsNextEnabled":true,"middlewareSettings":{{}},"remotePlugins":[]}}"#
    );
    let posthog = r#"{"token":"bench","supportedCompression":["gzip","gzip-js"],"hasFeatureFlags":false,
        "captureDeadClicks":false,"capturePerformance":false,"autocapture_opt_out":false,
        "autocaptureExceptions":false,"sessionRecording":false,"heatmaps":false,"surveys":false,
        "defaultIdentifiedOnly":true,"siteApps":[]}"#;
    let flags = r#"{"featureFlags":{},"featureFlagPayloads":{},"errorsWhileComputingFlags":false}"#;
    let text = |content_type, content: &str| File {
        content_type,
        content: Bytes::from(content.to_owned()),
        is_compressed: false,
    };
    let of = |path: &str, file| (path.to_owned(), file);
    HashMap::from([
        of(PICTURE_PATH, text("image/svg+xml", PICTURE)),
        of("/v1/projects/bench/settings", text(JSON, &segment)),
        of("/array/bench/config", text(JSON, posthog)),
        of(
            "/array/bench/config.js",
            text(
                SCRIPT,
                &format!(
                    "(window._POSTHOG_REMOTE_CONFIG||={{}}).bench={{config:{posthog},siteApps:[]}}"
                ),
            ),
        ),
        of("/flags/", text(JSON, flags)),
    ])
}

/// A contender's page and scripts, by path.
fn pages(scripts: &Path, contender: &Contender, collector: &str) -> Result<Vec<(String, File)>> {
    let name = contender.name;
    let tag = match contender.tag {
        Tag::Nothing => String::new(),
        Tag::Collector => format!(r#"<script async src="{collector}/{name}/{name}.js"></script>"#),
        Tag::Module => format!(r#"<script async type="module" src="/{name}/{name}.js"></script>"#),
    };
    let page = Bytes::from(PAGE.replace(TRACKER, &tag));
    let page = File { content_type: HTML, content: page, is_compressed: false };
    let mut files = vec![(format!("/{name}/"), page)];
    if contender.tag == Tag::Nothing {
        return Ok(files);
    }
    let folder = scripts.join(name);
    for file in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = file?.path();
        let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let script = replaced(fs::read(&path)?, collector);
        let content = compressed(&script)?;
        let content_type = if contender.tag == Tag::Collector { OUR_SCRIPT } else { SCRIPT };
        files.push((
            format!("/{name}/{file_name}"),
            File { content_type, content, is_compressed: true },
        ));
    }
    Ok(files)
}

/// The script with the words in capitals replaced; ours is bytes, not text.
fn replaced(mut script: Vec<u8>, collector: &str) -> Vec<u8> {
    for (word, by) in BAKED.into_iter().chain([(COLLECTOR, collector)]) {
        let mut from = 0;
        while let Some(at) = find(&script, word, from) {
            script.splice(at..at + word.len(), by.bytes());
            from = at + by.len();
        }
    }
    script
}

fn find(script: &[u8], word: &str, from: usize) -> Option<usize> {
    let rest = script.get(from..)?;
    let at = rest.windows(word.len()).position(|window| window == word.as_bytes())?;
    Some(from + at)
}

fn compressed(script: &[u8]) -> Result<Bytes> {
    let mut brotli = brotli::CompressorWriter::new(Vec::new(), 4096, 11, 22);
    brotli.write_all(script)?;
    Ok(Bytes::from(brotli.into_inner()))
}

async fn serve(listener: TcpListener, files: Arc<HashMap<String, File>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let files = Arc::clone(&files);
        let answer = service_fn(move |request| {
            let files = Arc::clone(&files);
            async move { Ok::<_, Infallible>(answer(request, &files).await) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}

/// A file where there is one, and thanks for whatever else is sent.
async fn answer(
    request: Request<Incoming>,
    files: &HashMap<String, File>,
) -> Response<Full<Bytes>> {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let wanted = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let file = files.get(request.uri().path()).cloned();
    let method = request.method().clone();
    // An event is taken in whole before it is answered; one that breaks off has nobody to be told.
    request.into_body().collect().await.ok();
    let mut response = Response::new(Full::default());
    let headers = response.headers_mut();
    let star = HeaderValue::from_static("*");
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.unwrap_or(star));
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    let policy = HeaderValue::from_static("cross-origin");
    headers.insert("cross-origin-resource-policy", policy);
    if let Some(wanted) = wanted {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted);
    }
    match file {
        Some(file) => {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.content_type));
            if file.is_compressed {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
            }
            *response.body_mut() = Full::new(file.content);
        }
        None if method == Method::POST => {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
            *response.body_mut() = Full::new(Bytes::from_static(b"{}"));
        }
        None if method == Method::OPTIONS => *response.status_mut() = StatusCode::NO_CONTENT,
        None => *response.status_mut() = StatusCode::NOT_FOUND,
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_replaced_among_bytes_that_are_no_text() {
        let script = b"a(__FOOTFALL_SITE__,\"__COLLECTOR__\",__FOOTFALL_SITE__)\xff\0asm".to_vec();
        let said = replaced(script, "http://127.0.0.1:1");
        assert_eq!(said, b"a(\"shop\",\"http://127.0.0.1:1\",\"shop\")\xff\0asm");
    }
}
