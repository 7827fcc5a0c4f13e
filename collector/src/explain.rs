//! Why a visit was counted as it was: the pipeline's own validation and enrichment, over lines of JSON
//! in place of requests. Nothing is stored, and no database is needed.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, BufRead, Read, Write};
use std::net::{AddrParseError, IpAddr, Ipv4Addr};

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::site::SiteSettings;
use wire::limits::BODY_BYTES_MAX;
use wire::{Consent, Context, Event, FromObject, Kind, Text};

use crate::cookieless::Visitor;
use crate::enrich::{BotReason, EnrichFiles, EnrichedEvent, Enricher, SiteRules, Told};
use crate::receive::json_text;
use crate::validate::{self, DropReason, Times, flatten};

/// An id where one is needed and none is looked at.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// A visit in its raw form. Everything may be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct Line<'a> {
    #[serde(borrow)]
    url: Option<Text<'a>>,
    #[serde(borrow)]
    referrer: Option<Text<'a>>,
    #[serde(borrow)]
    user_agent: Option<Text<'a>>,
    #[serde(borrow)]
    ip: Option<Text<'a>>,
    #[serde(borrow)]
    categories: Option<Vec<Text<'a>>>,
    webdriver: Option<bool>,
    /// All that the request's head had; without them nothing is concluded from what is absent.
    headers: Option<BTreeMap<String, String>>,
    consent: Option<FromObject<Consent>>,
    #[serde(borrow)]
    properties: Option<&'a RawValue>,
    /// When it happened, RFC 3339, for the rate of exchange; now where it is not told.
    at: Option<Timestamp>,
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
}

/// Why a line has no answer.
#[derive(Debug, thiserror::Error)]
enum LineError {
    #[error("over {BODY_BYTES_MAX} bytes")]
    TooLong,
    #[error("not a JSON object of texts: {0}")]
    NotJson(#[from] serde_json::Error),
    #[error("ip is no address: {0}")]
    Ip(#[from] AddrParseError),
    #[error("headers has {0:?}, which is no header")]
    Header(String),
    #[error("left out as {} ({})", .0.tag(), .0.field())]
    Dropped(DropReason),
    #[error(transparent)]
    Output(#[from] io::Error),
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
            if line.trim_ascii().is_empty() {
                continue;
            }
            told.lines += 1;
            json_text::mend(&mut line);
            match self.explain_line(&line, &mut output) {
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
        let FromObject(line): FromObject<Line<'_>> =
            serde_json::from_slice(json_text::without_mark(line))?;
        let ip = match line.ip.as_deref().map(str::trim) {
            None | Some("") => IpAddr::from(Ipv4Addr::UNSPECIFIED),
            Some(ip) => ip.parse()?,
        };
        let headers = line.headers.map(headers).transpose()?;
        let told = headers.as_ref().map(Told::of);
        let sent = told.as_ref().map(|told| &*told.user_agent);
        let user_agent = line.user_agent.as_deref().or(sent).unwrap_or_default();
        let context =
            Context { webdriver: line.webdriver.unwrap_or_default(), ..Context::default() };
        let visit = self.enricher.visit(ip, Some(user_agent), told.as_ref(), &context, &self.site);
        let at = line.at.unwrap_or_else(Timestamp::now).as_millisecond();
        let event = Event {
            at: at.unsigned_abs(),
            consent: line.consent.unwrap_or_default().0,
            ..event(line.url, line.referrer, line.categories.unwrap_or_default())
        };
        let event = flatten(line.properties)
            .and_then(|properties| {
                validate::event(&event, properties, &Times::of_batch(0, at), &Visitor::Sent)
            })
            .map_err(LineError::Dropped)?;
        Ok(write_explained(&EnrichedEvent::new(event, &visit), output)?)
    }
}

/// The head of a request, as its headers were written down.
fn headers(told: BTreeMap<String, String>) -> Result<HeaderMap, LineError> {
    let header = |(name, value): (String, String)| {
        let read = HeaderName::from_bytes(name.as_bytes());
        match (read, HeaderValue::from_bytes(value.as_bytes())) {
            (Ok(read), Ok(value)) => Ok((read, value)),
            _ => Err(LineError::Header(name)),
        }
    };
    told.into_iter().map(header).collect()
}

/// A page view; without a page, an event as a server sends it.
fn event<'a>(
    url: Option<Text<'a>>,
    referrer: Option<Text<'a>>,
    categories: Vec<Text<'a>>,
) -> Event<'a, ()> {
    let url = url.filter(|url| !url.trim().is_empty());
    let kind = if url.is_some() { Kind::PageView } else { Kind::Custom };
    Event {
        id: NOBODY.into(),
        kind: kind.as_str().into(),
        at: 0,
        visitor: Some(NOBODY.into()),
        session: None,
        user: None,
        consent: Consent::default(),
        url,
        referrer,
        title: None,
        categories,
        name: Some("explain".into()),
        funnel: None,
        step: None,
        properties: None,
    }
}

fn write_explained(event: &EnrichedEvent<'_>, output: &mut impl Write) -> io::Result<()> {
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
            "nonsense\n\n{{\"ip\":\"1.2.3\"}}\n{{\"url\":\"ftp://a.example\"}}\n{long}\n{{\"webdriver\":true,\"url\":null}}"
        );
        let (lines, told) = explain(&input);
        assert_eq!(told, LinesTold { lines: 5, failed: 4 });
        let numbers: Vec<_> = lines.iter().map(|line| line["line"].as_u64()).collect();
        assert_eq!(numbers, [Some(1), Some(3), Some(4), Some(5), None]);
        assert_eq!(lines[2]["error"], "left out as url_invalid (url)");
        assert_eq!(lines[4]["bot"], true);
    }

    #[test]
    fn a_file_may_begin_with_the_mark_of_its_encoding() {
        let (_, told) = explain("\u{feff}{\"url\":\"https://a.example/\"}\n");
        assert_eq!(told, LinesTold { lines: 1, failed: 0 });
    }

    #[test]
    fn half_an_emoji_costs_no_line() {
        let (lines, told) = explain(r#"{"url":"https://a.example/","categories":["Caf\ud83d"]}"#);
        assert_eq!(told, LinesTold { lines: 1, failed: 0 });
        assert_eq!(lines[0]["categories"], json!(["Caf\u{fffd}"]));
    }

    #[test]
    fn a_list_is_no_visit() {
        let (lines, told) =
            explain("[1,2]\n[]\n{\"consent\":[\"granted\",\"denied\",\"denied\"]}\n");
        assert_eq!(told, LinesTold { lines: 3, failed: 3 }, "{lines:?}");
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
        let wrong = json!({"headers": {"no header": ""}});
        let (lines, told) = explain_for(&site, &format!("{seen}\n{bare}\n{linux}\n{wrong}\n"));
        assert_eq!(told, LinesTold { lines: 4, failed: 1 });
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
        assert_eq!(lines[3]["error"], "headers has \"no header\", which is no header");
    }
}
