//! Why a visit was counted as it was: the pipeline's own validation and enrichment, over lines of JSON
//! in place of requests. Nothing is stored, and no database is needed.

use std::borrow::Cow;
use std::io::{self, BufRead, Read, Write};
use std::net::{AddrParseError, IpAddr, Ipv4Addr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use wire::limits::BODY_BYTES_MAX;
use wire::{Consent, Context, Event, Kind, Text};

use crate::cookieless::Visitor;
use crate::enrich::{BotReason, EnrichedEvent, Enricher};
use crate::validate::{self, DropReason, Times};

/// An id where one is needed and none is looked at.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// A visit in its raw form. Everything may be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
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
    #[error("left out as {} ({})", .0.tag(), .0.field())]
    Dropped(DropReason),
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
}

impl Explainer {
    /// With these geo and network files; one that cannot be read is logged and what it knows stays unknown, as in the
    /// collector.
    #[must_use]
    pub fn open(geo_files: &[PathBuf], asn_files: &[PathBuf]) -> Self {
        Self { enricher: Enricher::open(geo_files, asn_files) }
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
            if let Err(error) = self.explain_line(&line, &mut output)? {
                told.failed += 1;
                let error = serde_json::json!({"line": number, "error": error.to_string()});
                writeln!(output, "{error}")?;
            }
        }
        output.flush()?;
        Ok(told)
    }

    fn explain_line(
        &self,
        line: &[u8],
        output: &mut impl Write,
    ) -> io::Result<Result<(), LineError>> {
        if line.len() > BODY_BYTES_MAX {
            return Ok(Err(LineError::TooLong));
        }
        let line: Line<'_> = match serde_json::from_slice(line) {
            Ok(line) => line,
            Err(error) => return Ok(Err(error.into())),
        };
        let ip = match line.ip.as_deref().map(str::trim) {
            None | Some("") => IpAddr::from(Ipv4Addr::UNSPECIFIED),
            Some(ip) => match ip.parse() {
                Ok(ip) => ip,
                Err(error) => return Ok(Err(LineError::Ip(error))),
            },
        };
        let context =
            Context { webdriver: line.webdriver.unwrap_or_default(), ..Context::default() };
        let user_agent = line.user_agent.as_deref().unwrap_or_default();
        let event = event(line.url, line.referrer, line.categories.unwrap_or_default());
        let visit = self.enricher.visit(ip, Some(user_agent), &context);
        match validate::event(&event, Vec::new(), &Times::of_batch(0, 0), &Visitor::Sent) {
            Ok(event) => write_explained(&EnrichedEvent::new(event, &visit), output).map(Ok),
            Err(reason) => Ok(Err(LineError::Dropped(reason))),
        }
    }
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
        os: device.os,
        bot: event.visit.bot.is_some(),
        bot_reason: event.visit.bot.map_or("", BotReason::as_str),
        source: &traffic.source,
        medium: &traffic.medium,
        channel: &traffic.channel,
        campaign: &traffic.campaign,
        categories: &event.categories,
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
        let mut output = Vec::new();
        let told = Explainer::open(&[], &[]).explain(input.as_bytes(), &mut output).unwrap();
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
}
