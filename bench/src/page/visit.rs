//! One page, opened in an empty profile, and what it took until and behind the first event.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use doctor::browser::Browser;
use doctor::devtools::{Devtools, Event};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::contender::{Contender, Tag};
use crate::server::PICTURE_PATH;
use crate::trace::{self, Span};

/// What the page itself is asked for.
const WATCH: &str = include_str!("watch.js");
/// How long a page is open when its tasks are summed up; a slower processor is given longer.
const OPEN: Duration = Duration::from_millis(2500);
const OPEN_SLOW: Duration = Duration::from_millis(4000);
/// How long the first event may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The line, and the processor: a throttle of 4 leaves a fourth of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conditions {
    pub(crate) processor: u32,
}

/// What one visit took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    /// Of its scripts, with their heads, as they come over the wire.
    pub(crate) script_bytes: f64,
    /// Of the tracker, until the first event has gone, that and its preflight included.
    pub(crate) requests: f64,
    /// From the request for the page to that of the first event.
    pub(crate) first_event_ms: f64,
    /// The main thread's tasks, the page's own included.
    pub(crate) task_ms: f64,
    /// Over 50 ms, as the browser tells them: whoever's work they are.
    pub(crate) long_tasks: f64,
    pub(crate) longest_ms: f64,
    /// The longest that its scripts took in one task.
    pub(crate) longest_script_ms: f64,
    /// The sum of the page's layout shifts.
    pub(crate) shift: f64,
    /// Calls of `Intl.DateTimeFormat` before the first event.
    pub(crate) intl: f64,
    /// The keys of what our tracker sends first, at all depths.
    pub(crate) said: Vec<String>,
}

/// What `watch.js` has noted.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Seen {
    long_tasks: f64,
    longest: f64,
    shift: f64,
    sent: Vec<(String, f64)>,
}

/// A request of the tracker.
#[derive(Debug)]
struct Asked {
    id: String,
    url: String,
    is_script: bool,
    is_event: bool,
    /// As a beacon, which asks for no answer.
    is_beacon: bool,
    body: String,
    /// Seconds of the browser's clock.
    at: f64,
    bytes: f64,
}

/// Opens the contender's page and watches it for as long as the others; gives the browser's trace too.
pub(crate) async fn visit(
    browser: &Browser,
    site: &str,
    contender: &Contender,
    conditions: Conditions,
) -> Result<(Measured, Vec<Span>)> {
    let deadline = Instant::now() + PATIENCE * 2;
    let mut devtools = Devtools::open_in_new_profile(&browser.address, deadline).await?;
    prepare(&mut devtools, conditions).await?;
    trace::start(&mut devtools).await?;
    let page = format!("{site}/{}/", contender.name);
    let began = Instant::now();
    devtools.command("Page.navigate", json!({ "url": page })).await?;
    let open = began + if conditions.processor > 1 { OPEN_SLOW } else { OPEN };
    let mut requests = Requests { page, contender, navigated: 0.0, asked: Vec::new() };
    while let Some(event) = devtools.event(open).await? {
        requests.note(&event);
    }
    while contender.tag != Tag::Nothing && requests.first_event().is_none() {
        let event = devtools.event(began + PATIENCE).await?;
        let event = event.with_context(|| {
            format!("{} sent no event; it asked {:?}", contender.name, requests.asked)
        })?;
        requests.note(&event);
    }
    let seen = json!({ "expression": "benchSeen", "returnByValue": true });
    let seen = devtools.command("Runtime.evaluate", seen).await?;
    let seen: Seen = serde_json::from_value(seen["result"]["value"].clone())
        .context("the page is not the one that was opened")?;
    let metrics = devtools.command("Performance.getMetrics", json!({})).await?;
    let trace = trace::stop(&mut devtools).await?;
    let scripts = trace::script_millis(&trace, &requests.page)?;
    let mut measured = requests.measured(&seen, task_seconds(&metrics)?)?;
    measured.longest_script_ms = scripts.into_iter().fold(0.0, f64::max);
    Ok((measured, trace))
}

/// A line as the browser's own tools name "fast 4G", but with the latency of a near server, and the processor.
async fn prepare(devtools: &mut Devtools, conditions: Conditions) -> Result<()> {
    for domain in ["Page.enable", "Network.enable", "Runtime.enable", "Performance.enable"] {
        devtools.command(domain, json!({})).await?;
    }
    let line = json!({
        "offline": false,
        "latency": 60,
        "downloadThroughput": 9_000_000 / 8,
        "uploadThroughput": 1_500_000 / 8,
    });
    devtools.command("Network.emulateNetworkConditions", line).await?;
    let rate = json!({ "rate": conditions.processor });
    devtools.command("Emulation.setCPUThrottlingRate", rate).await?;
    let watch = json!({ "source": WATCH });
    devtools.command("Page.addScriptToEvaluateOnNewDocument", watch).await?;
    Ok(())
}

fn task_seconds(metrics: &Value) -> Result<f64> {
    let metrics = metrics["metrics"].as_array().context("no metrics")?;
    let task = metrics.iter().find(|metric| metric["name"] == "TaskDuration");
    task.and_then(|metric| metric["value"].as_f64()).context("no TaskDuration")
}

struct Requests<'a> {
    page: String,
    contender: &'a Contender,
    /// When the page was asked for, in seconds of the browser's clock.
    navigated: f64,
    asked: Vec<Asked>,
}

impl Requests<'_> {
    fn note(&mut self, Event { name, parameters }: &Event) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let id = text(&parameters["requestId"]);
        match name.as_str() {
            "Network.requestWillBeSent" => {
                let url = text(&parameters["request"]["url"]);
                let at = parameters["timestamp"].as_f64().unwrap_or_default();
                if url == self.page {
                    self.navigated = at;
                } else if !url.ends_with(PICTURE_PATH) {
                    let path = url.split('?').next().unwrap_or_default().to_owned();
                    self.asked.push(Asked {
                        id,
                        url,
                        is_script: parameters["type"] == "Script",
                        is_event: parameters["request"]["method"] == "POST"
                            && path.ends_with(self.contender.events),
                        is_beacon: parameters["type"] == "Ping",
                        body: text(&parameters["request"]["postData"]),
                        at,
                        bytes: 0.0,
                    });
                }
            }
            "Network.loadingFinished" => {
                if let Some(asked) = self.asked.iter_mut().find(|asked| asked.id == id) {
                    asked.bytes = parameters["encodedDataLength"].as_f64().unwrap_or_default();
                }
            }
            _ => {}
        }
    }

    fn first_event(&self) -> Option<&Asked> {
        self.asked
            .iter()
            .filter(|asked| asked.is_event)
            .min_by(|one, other| one.at.total_cmp(&other.at))
    }

    fn measured(&self, seen: &Seen, task_seconds: f64) -> Result<Measured> {
        let site = "http://127.0.0.1:";
        let abroad = self.asked.iter().find(|asked| !asked.url.starts_with(site));
        ensure!(
            abroad.is_none(),
            "it asked another server, whose answer is not measured: {abroad:?}"
        );
        let mut measured = Measured {
            task_ms: task_seconds * 1e3,
            long_tasks: seen.long_tasks,
            longest_ms: seen.longest,
            shift: seen.shift,
            script_bytes: self
                .asked
                .iter()
                .filter(|a| a.is_script)
                .map(|a| a.bytes)
                .fold(0.0, |sum, bytes| sum + bytes),
            ..Measured::default()
        };
        let Some(first) = self.first_event() else { return Ok(measured) };
        let until =
            |asked: &&Asked| asked.at <= first.at || asked.url == first.url && !asked.is_event;
        if self.contender.tag == Tag::Collector {
            ensure!(!first.is_beacon, "{} spoke by the loader's fallback", self.contender.name);
            keys(&serde_json::from_str(&first.body)?, &mut measured.said);
        }
        measured.requests = self.asked.iter().filter(until).count() as f64;
        measured.first_event_ms = (first.at - self.navigated) * 1e3;
        let sent = seen.sent.iter().find(|(url, _)| *url == first.url);
        measured.intl = sent.with_context(|| format!("nobody sent to {}", first.url))?.1;
        Ok(measured)
    }
}

/// The keys of all objects in it, in their order.
fn keys(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                found.push(key.clone());
                keys(value, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| keys(value, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_a_tracker_asks_until_its_first_event_has_gone() {
        let mut requests = Requests {
            page: "http://127.0.0.1:1/snowplow/".into(),
            contender: &crate::contender::CONTENDERS[3],
            navigated: 0.0,
            asked: Vec::new(),
        };
        let mut ask = |id: &str, at: f64, method: &str, kind: &str, path: &str| {
            let url = format!("http://127.0.0.1:1{path}");
            let request = json!({ "url": url, "method": method });
            let parameters =
                json!({ "requestId": id, "timestamp": at, "type": kind, "request": request });
            requests.note(&Event { name: "Network.requestWillBeSent".into(), parameters });
            let parameters = json!({ "requestId": id, "encodedDataLength": 100 });
            requests.note(&Event { name: "Network.loadingFinished".into(), parameters });
        };
        ask("1", 5.0, "GET", "Document", "/snowplow/");
        ask("2", 5.1, "GET", "Script", "/snowplow/snowplow.js");
        ask("3", 5.1, "GET", "Image", "/picture.svg");
        ask("4", 5.25, "POST", "Fetch", "/com/tp2");
        ask("5", 5.26, "OPTIONS", "Preflight", "/com/tp2");
        ask("6", 5.5, "POST", "Fetch", "/com/tp2");
        let sent = vec![("http://127.0.0.1:1/com/tp2".into(), 2.0)];
        let seen = Seen { long_tasks: 1.0, longest: 60.0, shift: 0.0, sent };
        let measured = requests.measured(&seen, 0.2).unwrap();
        assert_eq!((measured.script_bytes, measured.requests), (100.0, 3.0));
        assert_eq!((measured.first_event_ms, measured.task_ms, measured.intl), (250.0, 200.0, 2.0));
    }

    #[test]
    fn a_request_to_another_server_is_no_measurement() {
        let url = "https://tracker.example/config".to_owned();
        let body = String::new();
        let asked = Asked {
            id: url.clone(),
            url,
            is_script: false,
            is_event: false,
            is_beacon: false,
            body,
            at: 1.0,
            bytes: 0.0,
        };
        let contender = &crate::contender::CONTENDERS[4];
        let requests =
            Requests { page: String::new(), contender, navigated: 0.0, asked: vec![asked] };
        let seen = Seen { long_tasks: 0.0, longest: 0.0, shift: 0.0, sent: Vec::new() };
        let error = requests.measured(&seen, 0.0).unwrap_err().to_string();
        assert!(error.contains("https://tracker.example/config"), "{error}");
    }
}
