//! The page's address in its parts.

use std::borrow::Cow;

/// Query parameters that are kept beside `utm_*`: what a visitor looked for and which part of a list
/// was shown. Any other may hold a token, a name or an address, and is not stored.
const QUERY_KEPT: [&str; 8] = ["q", "query", "s", "search", "page", "category", "sort", "tag"];

/// The parts of an address, as they are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Page<'a> {
    /// Lower case, without the port.
    pub(crate) host: Cow<'a, str>,
    pub(crate) path: &'a str,
    /// Only the parameters that are kept, as they were sent.
    pub(crate) query: String,
    /// The whole query; not stored.
    pub(crate) query_sent: &'a str,
}

impl<'a> Page<'a> {
    /// Takes an http(s) address apart; empty parts where there is none.
    pub(crate) fn of(url: &'a str) -> Self {
        let Some((host, rest)) = split(url) else {
            return Self::default();
        };
        let mark = |byte: &u8| matches!(byte, b'?' | b'#');
        let (path, rest) =
            rest.split_at(rest.bytes().position(|byte| mark(&byte)).unwrap_or(rest.len()));
        let query_sent = rest
            .strip_prefix('?')
            .map_or("", |rest| split_at_byte(rest, b'#').map_or(rest, |split| split.0));
        let path = if path.is_empty() { "/" } else { path };
        Self { host: lower(host), path, query: kept(query_sent), query_sent }
    }
}

/// The address as far as it is stored, whatever it is: a broken one may lack its scheme and host.
pub(crate) fn page_and_kept_query(url: &str) -> String {
    let is_scheme = |scheme: &str| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let (page, query) = match url.split_once("://") {
        Some((scheme, _)) if is_scheme(scheme) => {
            let page = Page::of(url);
            (format!("{scheme}://{}{}", page.host, page.path), page.query)
        }
        _ => {
            let before = url.split('#').next().unwrap_or_default();
            let (path, query) = before.split_once('?').unwrap_or((before, ""));
            (path.to_owned(), kept(query))
        }
    };
    if query.is_empty() { page } else { format!("{page}?{query}") }
}

/// Host and path of an address that may be broken, in each way that it may have been meant: without a scheme,
/// what comes first is the host, or is of the path.
pub(crate) fn readings(url: &str) -> Vec<(String, String)> {
    let read = |url: &str| {
        let page = Page::of(url);
        (page.host.into_owned(), page.path.to_owned())
    };
    if url.is_empty() || split(url).is_some_and(|(host, _)| !host.is_empty()) {
        return vec![read(url)];
    }
    // `https:/shop.example`, `https:///shop.example`, `//shop.example`, `shop.example`
    let behind = url.split_once(":/").map_or(url, |(_, behind)| behind).trim_start_matches('/');
    // `https:shop.example`; of `localhost:80` too, where it does no harm.
    let word = |(word, _): &(&str, &str)| word.bytes().all(|byte| byte.is_ascii_alphabetic());
    let behind_word = behind.split_once(':').filter(word).map(|(_, behind)| behind);
    [Some(behind), behind_word]
        .into_iter()
        .flatten()
        .flat_map(|behind| {
            [read(&format!("https://{behind}")), read(&format!("https:///{behind}"))]
        })
        .collect()
}

/// The host of an address, lower case, without the port; empty where there is none.
pub(super) fn host(url: &str) -> Cow<'_, str> {
    split(url).map_or_else(Default::default, |(host, _)| lower(host))
}

/// The parameters of a query as they were sent, the empty ones left out.
pub(super) fn parameters(query: &str) -> impl Iterator<Item = &str> {
    let mut rest = query;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let (parameter, behind) = split_at_byte(rest, b'&').unwrap_or((rest, ""));
            rest = behind;
            if !parameter.is_empty() {
                return Some(parameter);
            }
        }
        None
    })
}

/// What is before and behind the first such byte, an ASCII character. The standard library's search is
/// made for long texts; in the parts of an address the byte is near.
pub(super) fn split_at_byte(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|other| other == byte)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// The host, and everything after it and its port.
fn split(url: &str) -> Option<(&str, &str)> {
    let (_, rest) = split_at_byte(url, b':')?;
    let rest = rest.strip_prefix("//")?;
    let end = rest.bytes().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    let (authority, rest) = rest.split_at(end.unwrap_or(rest.len()));
    // Nearly every one: a name and nothing else.
    if !authority.bytes().any(|byte| matches!(byte, b'@' | b':')) {
        return Some((authority, rest));
    }
    let (_, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let host = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    Some((host, rest))
}

fn lower(host: &str) -> Cow<'_, str> {
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(host.to_ascii_lowercase())
    } else {
        Cow::Borrowed(host)
    }
}

fn kept(query: &str) -> String {
    let mut kept = String::new();
    for parameter in parameters(query) {
        let name = split_at_byte(parameter, b'=').map_or(parameter, |(name, _)| name);
        if name.starts_with("utm_") || QUERY_KEPT.contains(&name) {
            if kept.is_empty() {
                kept.reserve_exact(query.len());
            } else {
                kept.push('&');
            }
            kept.push_str(parameter);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_broken_address_too_only_what_is_stored_is_kept() {
        for (url, expected) in [
            ("https://me:pw@Shop.example/a?t=1&q=x#f", "https://shop.example/a?q=x"),
            ("https://shop.example", "https://shop.example/"),
            ("/a?t=1&utm_source=n#f?q=y", "/a?utm_source=n"),
            ("/a?next=https://shop.example/b?q=1&t=2", "/a"),
            ("/a#https://t", "/a"),
            ("", ""),
        ] {
            assert_eq!(page_and_kept_query(url), expected, "{url}");
        }
    }

    #[test]
    fn a_broken_address_is_read_as_it_may_have_been_meant() {
        for (url, expected) in [
            ("https://Shop.example/a?b", &[("shop.example", "/a")][..]),
            ("htps://shop.example/a", &[("shop.example", "/a")]),
            ("", &[("", "")]),
            ("/a/b?c#d", &[("a", "/b"), ("", "/a/b")]),
            ("Shop.example/a", &[("shop.example", "/a"), ("", "/Shop.example/a")]),
            ("//shop.example", &[("shop.example", "/"), ("", "/shop.example")]),
            ("https:/shop.example/a", &[("shop.example", "/a"), ("", "/shop.example/a")]),
            ("?a", &[("", "/"), ("", "/")]),
            (
                "HTTPS:shop.example/a",
                &[
                    ("https:shop.example", "/a"),
                    ("", "/HTTPS:shop.example/a"),
                    ("shop.example", "/a"),
                    ("", "/shop.example/a"),
                ],
            ),
            ("https:///shop.example/a", &[("shop.example", "/a"), ("", "/shop.example/a")]),
        ] {
            let read = readings(url);
            let read: Vec<_> = read.iter().map(|(host, path)| (&**host, &**path)).collect();
            assert_eq!(read, expected, "{url}");
        }
    }

    #[test]
    fn takes_addresses_apart() {
        let cases = [
            ("https://shop.example/a/b?q=x#top", ("shop.example", "/a/b", "q=x")),
            ("http://Shop.Example:8080", ("shop.example", "/", "")),
            ("https://me:secret@shop.example/?page=2", ("shop.example", "/", "page=2")),
            ("https://[::1]:4400/x", ("[::1]", "/x", "")),
            ("https://shop.example?s=1", ("shop.example", "/", "s=1")),
            ("https://shop.example#/?q=1", ("shop.example", "/", "")),
            ("", ("", "", "")),
            ("nothing", ("", "", "")),
        ];
        for (url, expected) in cases {
            let page = Page::of(url);
            assert_eq!((&*page.host, page.path, page.query.as_str()), expected, "{url}");
        }
    }

    #[test]
    fn keeps_only_listed_parameters() {
        let page = Page::of(
            "https://a.example/?token=1&utm_source=n&email=x%40y&q=red+shoes&utm_id=7&queue=1",
        );
        assert_eq!(page.query, "utm_source=n&q=red+shoes&utm_id=7");
    }
}
