//! Why a visit was counted as it was: the pipeline's own validation and enrichment, over lines of JSON
//! in place of requests. Nothing is stored, and no database is needed.

use std::borrow::Cow;
use std::io::{self, BufRead, Read, Write};
use std::net::{IpAddr, Ipv4Addr};

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::error::Category;
use serde_json::value::RawValue;
use store::site::SiteSettings;
use wire::limits::BODY_BYTES_MAX;
use wire::{Context, Event, FromObject, Kind, Text};

use crate::cookieless::Visitor;
use crate::enrich::{BotReason, EnrichFiles, EnrichedEvent, Enricher, SiteRules, Told};
use crate::receive::address;
use crate::receive::json_text;
use crate::receive::segment_api::{Object, object, text_in, time};
use crate::validate::{self, DropReason, Properties, Times, flatten};

/// An id where one is needed and none is looked at.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// A visit in its raw form. Everything may be missing, and what is of another type than its own is as if it
/// were: to the collector it would be unknown.
struct Line<'a>(Object<'a>);

impl<'a> Line<'a> {
    fn raw(&self, name: &'static str) -> Option<&'a RawValue> {
        self.0.get(&Text::from(name)).copied().filter(|raw| raw.get() != "null")
    }

    fn ip(&self) -> IpAddr {
        let known = text_in(&self.0, "ip").and_then(|ip| address(ip.trim()));
        known.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }

    /// The head of a request, as its headers were written down, without what is no header.
    fn headers(&self) -> Option<HeaderMap> {
        let told: Object<'_> = object(Some(self.raw("headers")?));
        let header = |(name, value): (Text<'_>, &'a RawValue)| {
            let value = object::<Option<Text<'_>>>(Some(value))?;
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, HeaderValue::from_bytes(value.as_bytes()).ok()?))
        };
        Some(told.into_iter().filter_map(header).collect())
    }

    /// When it happened, for the rate of exchange: RFC 3339, a day, or milliseconds since 1970; now where it is
    /// not told.
    fn at(&self) -> Result<i64, DropReason> {
        let told = time(self.raw("at")).map_err(|()| DropReason::EventMalformed)?;
        let now = || Ok(Timestamp::now().as_millisecond());
        let known = |at| {
            let at = Timestamp::from_millisecond(i64::try_from(at).ok()?).ok()?;
            Some(at.as_millisecond())
        };
        told.map_or_else(now, |at| known(at).ok_or(DropReason::EventMalformed))
    }

    /// A page view; without a page, an event as a server sends it.
    fn event(&self, at: i64) -> Event<'a, ()> {
        let url = text_in(&self.0, "url");
        let kind = if url.is_some() { Kind::PageView } else { Kind::Custom };
        Event {
            id: NOBODY.into(),
            kind: kind.as_str().into(),
            at: at.unsigned_abs(),
            visitor: Some(NOBODY.into()),
            session: None,
            user: None,
            consent: object::<FromObject<_>>(self.raw("consent")).0,
            url,
            referrer: text_in(&self.0, "referrer"),
            title: None,
            categories: object(self.raw("categories")),
            name: Some("explain".into()),
            funnel: None,
            step: None,
            properties: None,
        }
    }
}

/// What the pipeline makes of a visit. The unknown is empty.
#[derive(Debug, Serialize)]
struct Explained<'a> {
    country: &'a str,
    region: &'a str,
    city: &'a str,
    device: &'a str,
    browser: &'a str,
    browser_version: &'a str,
    os: &'a str,
    bot: bool,
    bot_reason: &'static str,
    source: &'a str,
    medium: &'a str,
    channel: &'a str,
    campaign: &'a str,
    categories: &'a [Cow<'a, str>],
    #[serde(skip_serializing_if = "str::is_empty")]
    os_version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_reporting: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    click_id_kind: Option<&'static str>,
    /// Why the collector would not store it; what is known of it is told all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<&'static str>,
}

/// Why a line has no answer.
#[derive(Debug, thiserror::Error)]
enum LineError {
    #[error("over {BODY_BYTES_MAX} bytes")]
    TooLong,
    #[error("{}", no_object(.0))]
    NotJson(#[from] serde_json::Error),
    #[error("left out as {} ({})", .0.tag(), .0.field())]
    Dropped(DropReason),
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// What is wrong with a line that is no JSON object, in the words of who wrote it.
fn no_object(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Eof => "a JSON object is wanted, and this ends before its end".to_owned(),
        Category::Data => "a JSON object is wanted, and this is other JSON".to_owned(),
        Category::Syntax | Category::Io => {
            format!(
                "a JSON object is wanted, and this is no JSON (from character {})",
                error.column()
            )
        }
    }
}

/// How many lines were read, and how many of them had no answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinesTold {
    /// Lines that were not blank.
    pub lines: u64,
    /// Lines answered with an error.
    pub failed: u64,
}

/// Explains visits by the same code that enriches them in the collector.
#[derive(Debug)]
pub struct Explainer {
    enricher: Enricher,
    site: SiteRules,
}

impl Explainer {
    /// With these files, for a site with these settings; a file that cannot be read is logged and what it knows stays
    /// unknown, as in the collector.
    #[must_use]
    pub fn open(files: &EnrichFiles, site: &SiteSettings) -> Self {
        Self { enricher: Enricher::open(files), site: SiteRules::of(site) }
    }

    /// Reads one JSON object a line and writes one JSON object each: what the visit was taken for, or
    /// `line` and `error`. Blank lines are passed over.
    ///
    /// # Errors
    /// When the input cannot be read or the output not be written.
    pub fn explain(
        &self,
        mut input: impl BufRead,
        mut output: impl Write,
    ) -> io::Result<LinesTold> {
        let mut told = LinesTold::default();
        let mut number = 0_u64;
        let mut line = Vec::new();
        while read_line(&mut input, &mut line)? {
            number += 1;
            json_text::mend(&mut line);
            let line = if number == 1 { json_text::without_mark(&line) } else { &line };
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            told.lines += 1;
            match self.explain_line(line, &mut output) {
                Ok(()) => {}
                Err(LineError::Output(error)) => return Err(error),
                Err(error) => {
                    told.failed += 1;
                    let error = serde_json::json!({"line": number, "error": error.to_string()});
                    writeln!(output, "{error}")?;
                }
            }
        }
        output.flush()?;
        Ok(told)
    }

    fn explain_line(&self, line: &[u8], output: &mut impl Write) -> Result<(), LineError> {
        if line.len() > BODY_BYTES_MAX {
            return Err(LineError::TooLong);
        }
        let line = Line(serde_json::from_slice(line)?);
        let headers = line.headers();
        let told = headers.as_ref().map(Told::of);
        let sent = told.as_ref().map(|told| &*told.user_agent);
        let user_agent: Option<Text<'_>> = object(line.raw("user_agent"));
        let user_agent = user_agent.as_deref().or(sent).unwrap_or_default();
        let context = Context { webdriver: object(line.raw("webdriver")), ..Context::default() };
        let (told, site) = (told.as_ref(), &self.site);
        let visit = self.enricher.visit(line.ip(), Some(user_agent), told, &context, site);

        // What a batch would be left out for is taken away, and the rest is explained.
        let (at, malformed) = known(line.at());
        let at = at.unwrap_or_else(|| Timestamp::now().as_millisecond());
        let (properties, no_properties) = known(flatten(line.raw("properties")));
        let (mut event, times) = (line.event(at), Times::of_batch(0, at));
        let wrong = validate::event(&event, Properties::default(), &times, &Visitor::Sent).err();
        if wrong.is_some() {
            event = Event { kind: Kind::Custom.as_str().into(), url: None, ..event };
        }
        let left_out = malformed.or(no_properties).or(wrong);
        let properties = properties.unwrap_or_default();
        let valid = validate::event(&event, properties, &times, &Visitor::Sent)
            .map_err(LineError::Dropped)?;
        Ok(write_explained(&EnrichedEvent::new(valid, &visit), left_out, output)?)
    }
}

/// What is known, or why it is not.
fn known<T>(read: Result<T, DropReason>) -> (Option<T>, Option<DropReason>) {
    match read {
        Ok(known) => (Some(known), None),
        Err(reason) => (None, Some(reason)),
    }
}

fn write_explained(
    event: &EnrichedEvent<'_>,
    left_out: Option<DropReason>,
    output: &mut impl Write,
) -> io::Result<()> {
    let (place, device, traffic) = (event.visit.place, &event.visit.device, &event.traffic);
    let explained = Explained {
        country: place.country,
        region: place.region,
        city: place.city,
        device: device.class,
        browser: &device.browser,
        browser_version: &device.browser_version,
        os: &device.os,
        // The sender is judged: a line may be of a user agent alone, although an event without a page is
        // a server's and is never set apart.
        bot: event.visit.bot.is_some(),
        bot_reason: event.visit.bot.map_or("", BotReason::as_str),
        source: &traffic.source,
        medium: &traffic.medium,
        channel: &traffic.channel,
        campaign: &traffic.campaign,
        categories: &event.categories,
        os_version: &device.os_version,
        value: event.worth.map(|worth| worth.told.to_string()),
        value_reporting: event
            .worth
            .and_then(|worth| worth.reported)
            .map(|money| money.to_string()),
        click_id_kind: event.click.as_ref().map(|click| click.kind),
        left_out: left_out.map(DropReason::tag),
    };
    serde_json::to_writer(&mut *output, &explained)?;
    writeln!(output)
}

/// The next line, of which at most one byte more than the limit is kept; false at the end.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let bytes_max = BODY_BYTES_MAX as u64 + 1;
    let read = input.by_ref().take(bytes_max).read_until(b'\n', line)?;
    if read as u64 == bytes_max && !line.ends_with(b"\n") {
        input.skip_until(b'\n')?;
    }
    Ok(read > 0)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn explain(input: &str) -> (Vec<Value>, LinesTold) {
        explain_for(&SiteSettings::default(), input)
    }

    fn explain_for(site: &SiteSettings, input: &str) -> (Vec<Value>, LinesTold) {
        let explainer = Explainer::open(&EnrichFiles::default(), site);
        let mut output = Vec::new();
        let told = explainer.explain(input.as_bytes(), &mut output).unwrap();
        let lines = String::from_utf8(output).unwrap();
        (lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), told)
    }

    #[test]
    fn tells_all_of_a_visit() {
        let line = json!({
            "url": "https://shop.example/shoes?utm_campaign=spring&utm_source=google&utm_medium=cpc",
            "referrer": "https://www.bing.com/",
            "user_agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
            "ip": "192.0.2.1",
            "categories": ["Shoes", "Shoes", ""],
        });
        let (lines, told) = explain(&format!("{line}\n"));
        assert_eq!(told, LinesTold { lines: 1, failed: 0 });
        let expected = json!({
            "country": "", "region": "", "city": "",
            "device": "desktop", "browser": "Chrome", "browser_version": "126.0.0.0", "os": "Windows",
            "bot": false, "bot_reason": "",
            "source": "google", "medium": "cpc", "channel": "Paid Search", "campaign": "spring",
            "categories": ["Shoes"],
        });
        assert_eq!(lines, [expected]);
    }

    #[test]
    fn a_bad_line_is_told_and_the_next_is_still_explained() {
        let long = format!("{{\"url\":\"{}\"}}", "x".repeat(BODY_BYTES_MAX));
        let input = format!(
            "nonsense\n\n[]\n{{\"url\":\"https://a.\n{long}\n{{\"webdriver\":true,\"url\":null}}"
        );
        let (lines, told) = explain(&input);
        assert_eq!(told, LinesTold { lines: 5, failed: 4 });
        let numbers: Vec<_> = lines.iter().map(|line| line["line"].as_u64()).collect();
        assert_eq!(numbers, [Some(1), Some(3), Some(4), Some(5), None]);
        let errors = [0, 1, 2].map(|line| lines[line]["error"].as_str().unwrap());
        assert_eq!(
            errors,
            [
                "a JSON object is wanted, and this is no JSON (from character 2)",
                "a JSON object is wanted, and this is other JSON",
                "a JSON object is wanted, and this ends before its end",
            ]
        );
        assert_eq!(lines[4]["bot"], true);
    }

    #[test]
    fn what_the_collector_would_not_know_is_empty() {
        let url = "https://shop.example/?utm_source=google";
        for fields in [
            json!({"ip": "unknown"}),
            json!({"ip": "81.2.69.142:443"}),
            json!({"ip": "[2001:db8::1]"}),
            json!({"ip": "fe80::1%eth0"}),
            json!({"ip": 5, "user_agent": [], "referrer": {}, "consent": "yes", "categories": "Shoes"}),
            json!({"at": "2020-01-01", "headers": {"no header": "", "accept": 5}, "webdriver": "no"}),
            json!({"at": 1_577_836_800_000_i64, "headers": [], "properties": null}),
        ] {
            let mut line = json!({"url": url});
            line.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            let (lines, told) = explain(&format!("\u{feff}{line}\n"));
            assert_eq!(told, LinesTold { lines: 1, failed: 0 }, "{line}");
            let found = ["source", "country", "left_out"].map(|name| &lines[0][name]);
            assert_eq!(found, [&json!("google"), &json!(""), &Value::Null], "{line}");
        }
    }

    #[test]
    fn half_an_emoji_costs_no_line() {
        let (lines, told) = explain(r#"{"url":"https://a.example/","categories":["Caf\ud83d"]}"#);
        assert_eq!(told, LinesTold { lines: 1, failed: 0 });
        assert_eq!(lines[0]["categories"], json!(["Caf\u{fffd}"]));
    }

    #[test]
    fn a_list_is_no_visit() {
        let (lines, told) = explain("[1,2]\n[]\n");
        assert_eq!(told, LinesTold { lines: 2, failed: 2 }, "{lines:?}");
    }

    #[test]
    fn what_the_collector_would_leave_out_is_told_with_what_is_known_of_it() {
        for (fields, reason) in [
            (json!({"url": "/shoes"}), "url_invalid"),
            (json!({"url": "shop.example/shoes"}), "url_invalid"),
            (json!({"url": "ftp://shop.example/"}), "url_invalid"),
            (json!({"at": "yesterday"}), "event_malformed"),
            (json!({"at": "99999999999999999"}), "event_malformed"),
            (json!({"properties": [1]}), "properties_not_object"),
        ] {
            let mut line = json!({"user_agent": "curl/8.5.0", "referrer": "https://www.bing.com/"});
            line.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            let (lines, told) = explain(&format!("{line}\n"));
            assert_eq!(told, LinesTold { lines: 1, failed: 0 }, "{line}");
            let found = ["source", "bot", "left_out"].map(|name| &lines[0][name]);
            assert_eq!(found, [&json!("bing"), &json!(true), &json!(reason)], "{line}");
        }
    }

    #[test]
    fn headers_consent_and_properties_tell_more() {
        let site = SiteSettings {
            categories: vec!["/coffee/*=Drinks/Coffee".parse().unwrap()],
            currency: Some("EUR".parse().unwrap()),
            ..SiteSettings::default()
        };
        let chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
        let brands = r#""Chromium";v="126", "Brave";v="126""#;
        let head = json!({
            "User-Agent": chrome, "Accept": "*/*", "Origin": "https://shop.example",
            "Sec-CH-UA": brands, "Sec-CH-UA-Platform": "\"Windows\"",
            "Sec-CH-UA-Platform-Version": "\"15.0.0\"",
        });
        let url = "https://shop.example/coffee/beans?gclid=abc";
        let seen = json!({
            "url": url, "headers": head, "consent": {"ads": "granted"},
            "properties": {"revenue": "12.5", "currency": "eur"},
        });
        let bare = json!({"url": url, "headers": {"user-agent": chrome, "origin": "https://shop.example"}});
        let linux = json!({"url": url, "headers": {
            "user-agent": chrome, "accept": "*/*", "sec-ch-ua": brands, "sec-ch-ua-platform": "\"Linux\"",
        }});
        let (lines, told) = explain_for(&site, &format!("{seen}\n{bare}\n{linux}\n"));
        assert_eq!(told, LinesTold { lines: 3, failed: 0 });
        let found = |line: usize, names: &[&str]| {
            let told = names.iter().map(|name| lines[line][name].clone());
            told.collect::<Vec<_>>()
        };
        assert_eq!(
            found(
                0,
                &[
                    "browser",
                    "os",
                    "os_version",
                    "bot_reason",
                    "value",
                    "value_reporting",
                    "click_id_kind"
                ]
            ),
            ["Brave", "Windows", "11", "", "12.5000 EUR", "12.5000 EUR", "gclid"].map(Value::from)
        );
        assert_eq!(lines[0]["categories"], json!(["Drinks", "Drinks/Coffee"]));
        assert_eq!(found(1, &["bot_reason", "click_id_kind"]), [json!("headers"), Value::Null]);
        assert_eq!(found(2, &["bot_reason"]), ["client_hints"]);
    }
}
