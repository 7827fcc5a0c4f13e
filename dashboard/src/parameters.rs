//! Reads a question out of an address: `?site=shop&step=a&step=b`.

use std::fmt::Display;
use std::str::FromStr;

use analytics::query::{Filter, Range};
use jiff::Timestamp;
use segment::ParseError;
use url::form_urlencoded;

use crate::error::{Place, Rejection};

/// Bytes of a query: 32 steps with long conditions fit.
const QUERY_BYTES_MAX: usize = 16 * 1024;

/// Characters of an unknown parameter's name that are told back.
const NAME_SHOWN_CHARACTERS: usize = 40;

const RANGE_HINT: &str = "from and to are a date (2026-01-31), an RFC 3339 time or how long ago (30d); from=all means everything";

const FILTER_HINT: &str = "what must hold of the events that are seen: device = \"mobile\" and country in (\"HR\", \"SI\")";

/// What a limit looks like.
pub(crate) const LIMIT_HINT: &str = "how many rows: a whole number from 1 to 1000";

/// A query's parameters by name. An empty value counts as absent: that is what a form sends for an input
/// nobody filled in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parameters(Vec<(&'static str, String)>);

impl Parameters {
    /// Reads a query that may have the parameters `known` and no others: a misspelt one is told, not passed over.
    pub(crate) fn read(
        query: Option<&str>,
        known: &'static [&'static str],
    ) -> Result<Self, Rejection> {
        let query = query.unwrap_or_default();
        if query.len() > QUERY_BYTES_MAX {
            let (bytes, bytes_max) = (query.len(), QUERY_BYTES_MAX);
            return Err(Rejection::QueryTooLong { bytes, bytes_max });
        }
        let mut parameters = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let Some(known_name) = known.iter().find(|known| **known == name) else {
                let name = name.chars().take(NAME_SHOWN_CHARACTERS).collect();
                return Err(Rejection::ParameterUnknown { name, known });
            };
            let value = value.trim();
            if !value.is_empty() {
                parameters.push((*known_name, value.to_owned()));
            }
        }
        Ok(Self(parameters))
    }

    /// Every value of a parameter, in order.
    pub(crate) fn all(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter that may be given once.
    pub(crate) fn one(&self, name: &'static str) -> Result<Option<&str>, Rejection> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Rejection::ParameterRepeated { name }),
            (value, None) => Ok(value),
        }
    }

    /// As [`Self::one`], read as a `T`; `hint` says what one looks like.
    pub(crate) fn parsed<T>(
        &self,
        name: &'static str,
        hint: &'static str,
    ) -> Result<Option<T>, Rejection>
    where
        T: FromStr<Err: Display>,
    {
        let parse = |text: &str| text.parse().map_err(|why: T::Err| invalid(name, &why, hint));
        self.one(name)?.map(parse).transpose()
    }

    /// As [`Self::parsed`], of a parameter that must be given.
    pub(crate) fn required<T>(&self, name: &'static str, hint: &'static str) -> Result<T, Rejection>
    where
        T: FromStr<Err: Display>,
    {
        self.parsed(name, hint)?.ok_or(Rejection::ParameterMissing { name, hint })
    }

    /// `filter`; without it every event is seen.
    pub(crate) fn filter(&self) -> Result<Filter, Rejection> {
        let parse =
            |text: &str| text.parse().map_err(|error| unparsed("filter", &error, FILTER_HINT));
        Ok(self.one("filter")?.map(parse).transpose()?.unwrap_or_default())
    }

    /// `from` and `to`; the last 30 days where neither is given.
    pub(crate) fn range(&self, now: Timestamp) -> Result<Range, Rejection> {
        let (from, to) = (self.one("from")?, self.one("to")?);
        let name = if from.is_none() { "to" } else { "from" };
        Range::parse(from, to, now).map_err(|why| invalid(name, &why, RANGE_HINT))
    }
}

/// A parameter that does not say what it should.
pub(crate) fn invalid(name: &'static str, why: &dyn Display, hint: &'static str) -> Rejection {
    Rejection::ParameterInvalid { name, why: why.to_string(), hint, place: None }
}

/// A parameter in the rule language that does not parse.
pub(crate) fn unparsed(name: &'static str, error: &ParseError, hint: &'static str) -> Rejection {
    let place = Place {
        column: error.position.column,
        line: error.position.line,
        expected: error.expected.clone(),
        found: error.found.clone(),
    };
    Rejection::ParameterInvalid { name, why: error.summary(), hint, place: Some(place) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["site", "step", "limit"];

    #[test]
    fn reads_repeated_encoded_and_empty_values() {
        let query = "site=shop&step=page_view+where+path%20%3D%20%22%2F%22&step=&step=b%26c";
        let read = Parameters::read(Some(query), KNOWN).unwrap();
        let steps: Vec<_> = read.all("step").collect();
        assert_eq!(steps, ["page_view where path = \"/\"", "b&c"]);
        assert_eq!(read.one("site").unwrap(), Some("shop"));
        assert_eq!(read.parsed::<u32>("limit", "a number").unwrap(), None);
    }

    #[test]
    fn refuses_what_is_unknown_repeated_missing_or_too_long() {
        let refused = |query: &str| Parameters::read(Some(query), KNOWN).unwrap_err().to_string();
        assert!(refused("stpe=a").contains("stpe"));
        assert!(refused(&format!("site={}", "a".repeat(QUERY_BYTES_MAX))).contains("bytes long"));
        let read = Parameters::read(Some("limit=1&limit=2"), KNOWN).unwrap();
        assert!(matches!(read.one("limit"), Err(Rejection::ParameterRepeated { name: "limit" })));
        let missing = read.required::<u32>("site", "a name");
        assert!(matches!(missing, Err(Rejection::ParameterMissing { name: "site", .. })));
        let read = Parameters::read(Some("limit=ten"), KNOWN).unwrap();
        let invalid = read.parsed::<u32>("limit", "a number").unwrap_err();
        assert!(matches!(invalid, Rejection::ParameterInvalid { name: "limit", .. }));
    }
}
