//! Whether anybody asked that nothing of an event is stored. It was left out for its form before that could be
//! asked of it as of a valid one, so it is asked of what can be read.

use identifier::Identifier;
use serde_json::value::to_raw_value;
use serde_json::{Map, Value};
use wire::Kind;

use crate::enrich::readings;
use crate::suppressed::Suppressed;
use crate::validate::{ReferrerSpam, Site, flatten};

/// How many texts of a `user` of an unknown form are asked. What is in such a form is not kept in any case.
const USER_TEXTS_MAX: usize = 16;

/// What is not to be stored: of the site's exclusions those of pages and referrers, for nothing of an excluded
/// sender comes as far as here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unwanted<'a> {
    pub(crate) site: &'a Site,
    pub(crate) suppressed: &'a Suppressed,
    pub(crate) spam: &'a ReferrerSpam,
}

impl Unwanted<'_> {
    /// Whether the event, as it was sent from this country, is of a suppressed person, or of a page or from a
    /// referrer that is excluded.
    pub(super) fn has(&self, event: &Map<String, Value>, country: &str) -> bool {
        let mut users = Vec::new();
        event.get("user").into_iter().for_each(|user| texts(user, &mut users));
        let is_suppressed = |user: &str, identifiers: &[Identifier]| {
            self.suppressed.named_by(&self.site.name, user, identifiers).is_some()
        };
        is_suppressed("", &identifiers(event, country))
            || users.iter().any(|user| is_suppressed(user, &[]))
            || self.is_excluded(&text(event, "url"), &text(event, "referrer"))
    }

    fn is_excluded(&self, url: &str, referrer: &str) -> bool {
        let pages = readings(url);
        let of_page = |(host, path): &(String, String)| self.site.excludes_page(host, path);
        let is_page = |referrer: &str| pages.iter().any(|(host, _)| host == referrer);
        pages.iter().any(|page| of_page(page).is_some())
            || readings(referrer).iter().any(|(host, _)| {
                !is_page(host) && self.site.excludes_referrer(host, self.spam).is_some()
            })
    }
}

/// A field's text; empty where it is none.
fn text(event: &Map<String, Value>, name: &str) -> String {
    event.get(name).and_then(Value::as_str).unwrap_or_default().trim().to_owned()
}

/// The texts in a value, the first few. Of an event with a number, a list or an object in a text's place that is
/// what is wrong with it.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        _ if found.len() >= USER_TEXTS_MAX => {}
        Value::String(text) => found.push(text.trim().to_owned()),
        Value::Number(number) => found.push(number.to_string()),
        Value::Array(list) => list.iter().for_each(|value| texts(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| texts(value, found)),
        Value::Bool(_) | Value::Null => {}
    }
}

/// By what the properties name a person, where they are traits or might be.
fn identifiers(event: &Map<String, Value>, country: &str) -> Vec<Identifier> {
    let kind = event.get("type").and_then(Value::as_str).and_then(Kind::from_name);
    if kind.is_some_and(|kind| kind != Kind::Identify) {
        return Vec::new();
    }
    let raw = event.get("properties").and_then(|properties| to_raw_value(properties).ok());
    let traits = flatten(raw.as_deref()).unwrap_or_default().pairs;
    let region = (!country.is_empty()).then_some(country);
    identifier::from_traits(traits.iter().map(|(name, value)| (&**name, &**value)), region)
}
