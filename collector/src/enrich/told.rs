//! What the head of a request tells of who sent it, beside the address and the user agent.

use std::borrow::Cow;

use hyper::header::{ACCEPT, ACCEPT_LANGUAGE, HeaderMap, HeaderValue, ORIGIN, REFERER, USER_AGENT};

use super::hints::Hints;

/// Holds only where the visitor's own device sent the request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told<'a> {
    /// Empty where there is none.
    pub(crate) user_agent: Cow<'a, str>,
    pub(crate) hints: Hints<'a>,
    /// A page sent it, or so it says. What names no page is a server's, which may speak for many, or an
    /// app's.
    pub(crate) from_page: bool,
    /// It has none of what every browser puts into every request.
    pub(crate) bare: bool,
    /// Where the visitor is, as a trusted proxy has found; empty where it has not, or none is asked.
    pub(crate) place: PlaceTold<'a>,
}

/// A place as a proxy tells it; what it does not is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PlaceTold<'a> {
    /// ISO 3166-1 alpha-2.
    pub(crate) country: &'a str,
    pub(crate) region: Cow<'a, str>,
    pub(crate) city: Cow<'a, str>,
}

impl<'a> Told<'a> {
    pub(crate) fn of(headers: &'a HeaderMap) -> Self {
        Self {
            user_agent: headers.get(USER_AGENT).map_or(Cow::Borrowed(""), any_text),
            hints: Hints::of(headers),
            from_page: headers.contains_key(ORIGIN) || headers.contains_key(REFERER),
            bare: is_bare(headers),
            place: PlaceTold::default(),
        }
    }
}

/// A header's text, empty where it is not ASCII: what `to_str` gives, which looks at each byte by itself.
pub(crate) fn header_text(value: &HeaderValue) -> &str {
    let ascii = Some(value.as_bytes()).filter(|bytes| bytes.is_ascii());
    ascii.and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default()
}

/// A header's text, whatever is in it: apps write their name or the date into the user agent in their
/// reader's language, and without one the visitor would be a program.
fn any_text(value: &HeaderValue) -> Cow<'_, str> {
    match str::from_utf8(value.as_bytes()) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(value.as_bytes()),
    }
}

/// The Fetch standard has a browser add `Accept` and `Accept-Language` to every request, whether a script,
/// a beacon or a picture makes it (<https://fetch.spec.whatwg.org/#fetching>, steps 12 and 13). Both must
/// be absent: a proxy may take one away.
fn is_bare(headers: &HeaderMap) -> bool {
    !headers.contains_key(ACCEPT_LANGUAGE) && !headers.contains_key(ACCEPT)
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    /// Headers that matter here, as the browsers send them to another origin: a script's `fetch`, a
    /// beacon, and a picture.
    const REAL: [&[(&str, &str)]; 8] = [
        // Chromium
        &[
            ("accept", "*/*"),
            ("accept-language", "en-US,en;q=0.9"),
            ("origin", "https://a.example"),
        ],
        &[("accept", "*/*"), ("accept-language", "hr"), ("origin", "https://a.example")],
        &[
            ("accept", "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"),
            ("accept-language", "en-US,en;q=0.9"),
            ("referer", "https://a.example/"),
        ],
        // Firefox
        &[
            ("accept", "*/*"),
            ("accept-language", "en-US,en;q=0.5"),
            ("origin", "https://a.example"),
        ],
        &[
            ("accept", "image/avif,*/*"),
            ("accept-language", "de"),
            ("referer", "https://a.example/"),
        ],
        // Safari
        &[
            ("accept", "*/*"),
            ("accept-language", "en-GB,en;q=0.9"),
            ("origin", "https://a.example"),
        ],
        &[
            ("accept", "image/webp,*/*;q=0.8"),
            ("accept-language", "fr-FR"),
            ("referer", "https://a.example/"),
        ],
        // Any of them behind a proxy that takes the language away.
        &[("accept", "*/*"), ("origin", "https://a.example")],
    ];

    fn bare(headers: &[(&'static str, &'static str)]) -> bool {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let headers = HeaderMap::from_iter(headers);
        let told = Told::of(&headers);
        told.from_page && told.bare
    }

    #[test]
    fn no_browsers_head_is_bare() {
        for headers in REAL {
            assert!(!bare(headers), "{headers:?}");
        }
    }

    #[test]
    fn a_page_that_says_nothing_else_is_none() {
        assert!(bare(&[("origin", "https://a.example"), ("user-agent", "Mozilla/5.0")]));
        assert!(bare(&[("referer", "https://a.example/")]));
        assert!(!bare(&[]), "a server's");
    }
}
