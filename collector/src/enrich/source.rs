//! What sort of site a visit came from, by a table of facts (`tables/sources.tsv`).

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

/// What sort of site a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Search,
    Social,
    Video,
    Shopping,
    Email,
    Assistant,
}

impl Class {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "search" => Self::Search,
            "social" => Self::Social,
            "video" => Self::Video,
            "shopping" => Self::Shopping,
            "email" => Self::Email,
            "assistant" => Self::Assistant,
            _ => return None,
        })
    }
}

/// How a source is called, and its class.
pub(super) type Known = (&'static str, Class);

/// The labels of a host that are looked at, from its end. Names have fewer; an endless one from
/// outside costs no more.
const LABELS_MAX: usize = 8;

#[derive(Debug, Default)]
struct Sources {
    names: FxHashMap<&'static str, Known>,
    /// With whether it holds for what is below the host too.
    hosts: FxHashMap<&'static str, (Known, bool)>,
    /// What stands before a top-level domain, whichever: `google` is `google.com` and `google.co.uk`.
    countries: FxHashMap<&'static str, Known>,
}

static SOURCES: LazyLock<Sources> =
    LazyLock::new(|| Sources::read(include_str!("tables/sources.tsv")));

/// A known source by its name (`utm_source=google`) or its host; lower case.
pub(super) fn named(source: &str) -> Option<Known> {
    SOURCES.names.get(source).copied().or_else(|| at(source))
}

/// A known source by a host; lower case.
pub(super) fn at(host: &str) -> Option<Known> {
    let bare = host.strip_prefix("www.").or_else(|| host.strip_prefix("m.")).unwrap_or(host);
    if let Some((known, _)) = SOURCES.hosts.get(bare).or_else(|| SOURCES.hosts.get(host)) {
        return Some(*known);
    }
    if let Some(known) = before_top_level(bare).find_map(|name| SOURCES.countries.get(name)) {
        return Some(*known);
    }
    let above = below_dots(bare).take(LABELS_MAX);
    // From the end the shortest come first, and the longest that is known holds.
    above
        .filter_map(|above| SOURCES.hosts.get(above))
        .filter(|(_, below)| *below)
        .last()
        .map(|(known, _)| *known)
}

/// What is behind each dot of a host, the shortest first.
pub(crate) fn below_dots(host: &str) -> impl Iterator<Item = &str> {
    let dots = host.bytes().enumerate().rev().filter(|(_, byte)| *byte == b'.');
    dots.filter_map(|(dot, _)| host.get(dot + 1..))
}

/// What may stand before the top-level domain: all but the last label, and all but the last two
/// where the second is as short as in `co.uk` and `com.au`.
fn before_top_level<'a>(host: &'a str) -> impl Iterator<Item = &'a str> {
    let split = |host: &'a str| {
        let dot = host.bytes().rposition(|byte| byte == b'.')?;
        Some((host.get(..dot)?, host.get(dot + 1..)?))
    };
    let one = split(host);
    let two = one.and_then(|(rest, _)| split(rest)).filter(|(_, second)| second.len() <= 3);
    [one, two].into_iter().flatten().map(|(rest, _)| rest)
}

impl Sources {
    /// Lines of the wrong shape are no facts; a test holds the table to having none.
    fn read(table: &'static str) -> Self {
        let mut sources = Self::default();
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            sources.take(line);
        }
        sources
    }

    fn take(&mut self, line: &'static str) -> Option<()> {
        let mut columns = line.split('\t');
        let class = Class::from_name(columns.next()?)?;
        let (scope, key, name) = (columns.next()?, columns.next()?, columns.next()?);
        match scope {
            "name" => drop(self.names.insert(key, (name, class))),
            "host" | "site" => drop(self.hosts.insert(key, ((name, class), scope == "site"))),
            "country" => drop(self.countries.insert(key, (name, class))),
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_fact_and_none_stands_twice() {
        let table = include_str!("tables/sources.tsv");
        let mut sources = Sources::default();
        let mut lines = 0;
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            assert!(sources.take(line).is_some(), "{line}");
            lines += 1;
        }
        assert_eq!(sources.names.len() + sources.hosts.len() + sources.countries.len(), lines);
    }

    #[test]
    fn knows_a_site_under_any_country() {
        for host in ["google.com", "www.google.co.uk", "google", "news.google.de", "google.com.au"]
        {
            assert_eq!(named(host), Some(("google", Class::Search)), "{host}");
        }
        for host in [
            "notgoogle.com",
            "google.com.evil.example",
            "",
            "com",
            "box.com",
            "google.evil.example",
        ] {
            assert_eq!(named(host), None, "{host}");
        }
    }

    #[test]
    fn a_host_may_be_another_thing_than_its_site() {
        let cases = [
            ("mail.google.com", Some(("gmail", Class::Email))),
            ("gemini.google.com", Some(("gemini", Class::Assistant))),
            ("docs.google.com", None),
            ("t.co", Some(("twitter", Class::Social))),
            ("l.facebook.com", Some(("facebook", Class::Social))),
            ("uk.search.yahoo.com", Some(("yahoo", Class::Search))),
            ("m.youtube.com", Some(("youtube", Class::Video))),
            ("com.google.android.googlequicksearchbox", Some(("google", Class::Search))),
            ("www.perplexity.ai", Some(("perplexity", Class::Assistant))),
        ];
        for (host, expected) in cases {
            assert_eq!(at(host), expected, "{host}");
        }
        assert_eq!(at(&"a.".repeat(100_000)), None);
    }
}
