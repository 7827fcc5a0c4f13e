//! The tracker's files: the script, made for each site, and what its streaming form fetches.

use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

use super::baked::baked;
use super::packing::{Packing, wasm_begins};
use super::respond::{Answered, file};
use crate::link::LinkKey;
use crate::validate::Site;

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
/// Of the scripts that pages name. The WebAssembly in them is a text of any bytes, a character each: in
/// UTF-8 half of these would be two bytes, which is a hundred more to download when all is compressed. All
/// else in them is ASCII. Of the character sets with one byte each Chromium reads only this one beside the page;
/// a script in another it reads while the page waits.
const SCRIPT: &str = "text/javascript; charset=windows-1252";
/// What a site's developer has the compiler check calls by, as the package has it.
const TYPES: &str = include_str!("../../../sdk-wasm/npm/footfall.d.ts");
/// The script is asked for again soon: it changes with the program.
const SCRIPT_CACHE: &str = "public, max-age=300, stale-while-revalidate=3600";
/// The same where it says what holds in the visitor's country: for their browser only.
const PRIVATE_CACHE: &str = "private, max-age=300";
/// A name with a hash never means anything else.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// Compressed scripts kept: of this many sites in both forms and both ways, some 10 KB each.
const COMPRESSED_MAX: usize = 4 * 256;
/// Digits of the digest that stands in an address.
const VERSION_DIGITS: usize = 16;
/// Which of a site's two scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `/s/SITE.js`: one answer carries everything.
    Whole,
    /// `/s/SITE.stream.js`: the WebAssembly is fetched, from an address that is kept for a year.
    Streaming,
    /// At a path of the site's own: as the first, and all that it fetches has the same path. A proxy may
    /// hand on nothing else, and no address has a name of ours.
    OwnPath,
}

/// For whom a script is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) site: &'a Site,
    pub(crate) form: Form,
    /// Where the visitor is (ISO 3166-1 alpha-2); `None` where that is not known.
    pub(crate) country: Option<&'a str>,
    pub(crate) link_key: &'a LinkKey,
    pub(crate) now_millis: i64,
}

/// A file at an address that never means anything else.
#[derive(Clone, Debug)]
struct Fetched {
    /// How the address ends: `wasm`, or `NAME.js` of a part.
    end: String,
    content_type: &'static str,
    content: &'static [u8],
}

/// What the program serves to pages.
#[derive(Clone, Debug)]
pub struct Assets {
    whole: Arc<str>,
    /// What is behind it: the WebAssembly, as a JavaScript text, and the script's end.
    whole_end: Bytes,
    streaming: Arc<str>,
    /// What the scripts fetch.
    fetched: Vec<Fetched>,
    version: String,
    /// By entity tag and encoding. Brotli at its best takes some 50 ms, so it is done once.
    compressed: Arc<Cache<String, Bytes>>,
}

impl Assets {
    /// The files built into the program; `None` if it was built without them.
    #[must_use]
    pub fn built_in() -> Option<Self> {
        let text = |file| std::str::from_utf8(file).ok();
        Some(Self::new(WHOLE?, text(STREAMING?)?, WASM?)?.with_parts(PARTS))
    }

    /// These files: the script whole and streaming, their words not yet replaced, and the WebAssembly
    /// that the latter fetches. `None` where what is before the WebAssembly is no text.
    #[must_use]
    pub fn new(whole: &'static [u8], streaming: &str, wasm: &'static [u8]) -> Option<Self> {
        let end = wasm_begins(whole);
        let (whole, whole_end) = whole.split_at(end);
        let whole = std::str::from_utf8(whole).ok()?;
        let wasm =
            Fetched { end: "wasm".to_owned(), content_type: "application/wasm", content: wasm };
        let assets = Self {
            whole: whole.into(),
            whole_end: Bytes::from_static(whole_end),
            streaming: streaming.into(),
            fetched: vec![wasm],
            version: String::new(),
            compressed: Arc::new(Cache::new(COMPRESSED_MAX)),
        };
        Some(assets.with_parts(&[]))
    }

    /// The same, and optional parts by name.
    #[must_use]
    pub fn with_parts(mut self, parts: &[(&str, &'static [u8])]) -> Self {
        self.fetched.extend(parts.iter().map(|(name, content)| Fetched {
            end: format!("{name}.js"),
            content_type: JAVASCRIPT,
            content,
        }));
        let mut digest = Sha256::new();
        for file in &self.fetched {
            digest.update(&file.end);
            digest.update(file.content.len().to_le_bytes());
            digest.update(file.content);
        }
        self.version = short(&digest.finalize());
        self
    }

    /// What stands in the addresses of the files that never change: a digest of all of them.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// `/s/footfall.d.ts`.
    pub(crate) fn types(&self, headers: &HeaderMap) -> Answered {
        let types = Bytes::from_static(TYPES.as_bytes());
        let packing = Packing::best(headers);
        let mut response =
            self.packed("text/plain; charset=utf-8", SCRIPT_CACHE, types, "footfall.d.ts", packing);
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        response
    }

    /// `/s/footfall-HASH.END`, which is the WebAssembly or a part.
    pub(crate) fn fetched(&self, name: &str, headers: &HeaderMap) -> Option<Answered> {
        self.fetched_by_digest(name.strip_prefix("footfall-")?, headers)
    }

    /// The same by `HASH.END`, which is the query at a path of the site's own.
    ///
    /// A part is given for every hash: a browser may still have the script of another version, or a collector of
    /// another version may have answered it, and the visitor's consent banner must be heard there too. The
    /// WebAssembly and what calls it belong together, so of that there is only one.
    pub(crate) fn fetched_by_digest(&self, name: &str, headers: &HeaderMap) -> Option<Answered> {
        let (version, end) = name.split_once('.').filter(|_| Self::is_fetched(name))?;
        let file = self.fetched.iter().find(|file| file.end == end)?;
        let cache = match (version == self.version, file.content_type) {
            (true, _) => IMMUTABLE,
            (false, JAVASCRIPT) => SCRIPT_CACHE,
            _ => return None,
        };
        let mut response = self.packed(
            file.content_type,
            cache,
            Bytes::from_static(file.content),
            // Whatever version was asked for, it is compressed once.
            end,
            Packing::best(headers),
        );
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        Some(response)
    }

    /// Whether that is how the address ends of something that a script fetches, of whatever version.
    pub(crate) fn is_fetched(name: &str) -> bool {
        let version = name.split_once('.').map(|(version, _)| version.as_bytes());
        version.is_some_and(|version| {
            version.len() == VERSION_DIGITS && version.iter().all(u8::is_ascii_hexdigit)
        })
    }

    /// A site's script, compressed where the browser takes it, or that the browser's copy is still
    /// good.
    pub(crate) fn script(&self, asked: Asked<'_>, headers: &HeaderMap) -> Answered {
        let Asked { site, form, .. } = asked;
        let (script, end, fetched) = match form {
            Form::Whole => (&self.whole, &*self.whole_end, "footfall-"),
            Form::Streaming => (&self.streaming, &[][..], "footfall-"),
            Form::OwnPath => (&self.whole, &*self.whole_end, "?"),
        };
        // A site's name and a hash need no escaping in JSON.
        let word = |text: &str| format!("\"{text}\"");
        let settings = baked(site, asked.link_key, asked.country, asked.now_millis);
        let body = script
            .replace("__FOOTFALL_SITE__", &word(site.name.as_str()))
            .replace("__FOOTFALL_VERSION__", &word(&format!("{fetched}{}.", self.version)))
            .replace("__FOOTFALL_SETTINGS__", &settings);
        let body = [body.as_bytes(), end].concat();
        let cache = if site.tracker.differs_by_country() { PRIVATE_CACHE } else { SCRIPT_CACHE };
        let tag = word(&short(&Sha256::digest(&body)));
        let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        let is_known = known.is_some_and(|known| {
            known.split(',').any(|known| known.trim().trim_start_matches("W/") == tag)
        });
        let mut response = if is_known {
            let (mut parts, _) = file(SCRIPT, Bytes::new(), cache).into_parts();
            parts.status = StatusCode::NOT_MODIFIED;
            parts.headers.remove(header::CONTENT_TYPE);
            Response::from_parts(parts, Bytes::new().into())
        } else {
            self.packed(SCRIPT, cache, body.into(), &tag, Packing::best(headers))
        };
        let head = response.headers_mut();
        head.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        // Weak: the bytes differ by how they are compressed.
        if let Ok(tag) = HeaderValue::try_from(format!("W/{tag}")) {
            head.insert(header::ETAG, tag);
        }
        response
    }

    /// The file as the browser takes it; `key` stands for its content.
    fn packed(
        &self,
        content_type: &'static str,
        cache: &'static str,
        plain: Bytes,
        key: &str,
        packing: Option<Packing>,
    ) -> Answered {
        let packed = packing.and_then(|packing| {
            let key = [key, packing.name()].concat();
            let packed = self.compressed.get_or_insert_with(&key, || packing.pack(&plain));
            Some((packed.ok()?, packing))
        });
        match packed {
            Some((body, packing)) => {
                let mut response = file(content_type, body, cache);
                let name = HeaderValue::from_static(packing.name());
                response.headers_mut().insert(header::CONTENT_ENCODING, name);
                response
            }
            None => file(content_type, plain, cache),
        }
    }
}

fn short(digest: &[u8]) -> String {
    hex::encode(digest).chars().take(VERSION_DIGITS).collect()
}
