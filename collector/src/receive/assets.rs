//! The tracker's files: the script, made for each site, and what its streaming form fetches.

use std::io::{self, Write};
use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use wire::SiteName;

use super::respond::{Answered, file};

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The character set matters: the WebAssembly in the script is a text of bytes.
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
/// The script is asked for again soon: it changes with the program.
const SCRIPT_CACHE: &str = "public, max-age=300, stale-while-revalidate=86400";
/// A name with a hash never means anything else.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// Compressed scripts kept: of this many sites in both forms and both ways, some 10 KB each.
const COMPRESSED_MAX: usize = 4 * 256;
/// Where the WebAssembly begins in the script: a compressor starts anew there.
const WASM_BEGINS: &[u8] = b"\"\0asm";

/// Which of a site's two scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `/s/SITE.js`: one answer carries everything.
    Whole,
    /// `/s/SITE.stream.js`: the WebAssembly is fetched, from an address that is kept for a year.
    Streaming,
}

/// What the program serves to pages.
#[derive(Clone, Debug)]
pub struct Assets {
    whole: Arc<str>,
    streaming: Arc<str>,
    wasm: Bytes,
    version: String,
    /// By entity tag and encoding. Brotli at its best takes some 50 ms, so it is done once.
    compressed: Arc<Cache<String, Bytes>>,
}

impl Assets {
    /// The files built into the program; `None` if it was built without them.
    #[must_use]
    pub fn built_in() -> Option<Self> {
        let text = |file| std::str::from_utf8(file).ok();
        Some(Self::new(text(WHOLE?)?, text(STREAMING?)?, WASM?))
    }

    /// These files: the script whole and streaming, their words not yet replaced, and the WebAssembly
    /// that the latter fetches.
    #[must_use]
    pub fn new(whole: &str, streaming: &str, wasm: &'static [u8]) -> Self {
        Self {
            whole: whole.into(),
            streaming: streaming.into(),
            wasm: Bytes::from_static(wasm),
            version: short_digest(wasm),
            compressed: Arc::new(Cache::new(COMPRESSED_MAX)),
        }
    }

    /// What stands in the names of the files that never change.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// `/s/footfall-HASH.wasm`; `None` for another hash.
    pub(crate) fn tracker(&self, name: &str) -> Option<Answered> {
        let hash = name.strip_prefix("footfall-")?.strip_suffix(".wasm")?;
        (hash == self.version).then(|| file("application/wasm", self.wasm.clone(), IMMUTABLE))
    }

    /// A site's script, compressed where the browser takes it, or that the browser's copy is still
    /// good.
    pub(crate) fn script(&self, site: &SiteName, form: Form, headers: &HeaderMap) -> Answered {
        let script = match form {
            Form::Whole => &self.whole,
            Form::Streaming => &self.streaming,
        };
        // A site's name and a hash need no escaping in JSON.
        let word = |text: &str| format!("\"{text}\"");
        let body = script
            .replace("__FOOTFALL_SITE__", &word(site.as_str()))
            .replace("__FOOTFALL_VERSION__", &word(&self.version));
        let tag = word(&short_digest(body.as_bytes()));
        let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        let is_known = known.is_some_and(|known| {
            known.split(',').any(|known| known.trim().trim_start_matches("W/") == tag)
        });
        let mut response = if is_known {
            let (mut parts, _) = file(JAVASCRIPT, Bytes::new(), SCRIPT_CACHE).into_parts();
            parts.status = StatusCode::NOT_MODIFIED;
            parts.headers.remove(header::CONTENT_TYPE);
            Response::from_parts(parts, Bytes::new().into())
        } else {
            self.compressed(body, &tag, Packing::best(headers))
        };
        let head = response.headers_mut();
        head.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        // Weak: the bytes differ by how they are compressed.
        if let Ok(tag) = HeaderValue::try_from(format!("W/{tag}")) {
            head.insert(header::ETAG, tag);
        }
        response
    }

    fn compressed(&self, body: String, tag: &str, packing: Option<Packing>) -> Answered {
        let plain = Bytes::from(body);
        let packed = packing.and_then(|packing| {
            let key = [tag, packing.name()].concat();
            let packed = self.compressed.get_or_insert_with(&key, || packing.pack(&plain));
            Some((packed.ok()?, packing))
        });
        match packed {
            Some((body, packing)) => {
                let mut response = file(JAVASCRIPT, body, SCRIPT_CACHE);
                let name = HeaderValue::from_static(packing.name());
                response.headers_mut().insert(header::CONTENT_ENCODING, name);
                response
            }
            None => file(JAVASCRIPT, plain, SCRIPT_CACHE),
        }
    }
}

fn short_digest(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content)).chars().take(16).collect()
}

/// How a script is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Brotli,
    Gzip,
}

impl Packing {
    const fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// The smallest that the browser takes; none where it names none, or with a quality of 0.
    fn best(headers: &HeaderMap) -> Option<Self> {
        let accepted = headers.get_all(header::ACCEPT_ENCODING).iter();
        let accepted: Vec<&str> = accepted
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .collect();
        let takes = |packing: &Self| {
            accepted.iter().any(|accepted| {
                let (name, quality) = accepted.split_once(';').unwrap_or((accepted, ""));
                let refused = matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000");
                name.trim().eq_ignore_ascii_case(packing.name()) && !refused
            })
        };
        [Self::Brotli, Self::Gzip].into_iter().find(takes)
    }

    /// The script and the WebAssembly behind it, each compressed as what it is.
    fn pack(self, script: &[u8]) -> io::Result<Bytes> {
        let wasm = script.windows(WASM_BEGINS.len()).position(|window| window == WASM_BEGINS);
        let (script, wasm) = script.split_at(wasm.unwrap_or(script.len()));
        let packed = match self {
            Self::Brotli => {
                let mut brotli = brotli::CompressorWriter::new(Vec::new(), 4096, 11, 22);
                brotli.write_all(script)?;
                brotli.write_all(wasm)?;
                brotli.into_inner()
            }
            Self::Gzip => {
                let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
                gzip.write_all(script)?;
                gzip.flush()?;
                gzip.write_all(wasm)?;
                gzip.finish()?
            }
        };
        Ok(packed.into())
    }
}
