//! What the main thread did, by the browser's own trace: how long the page's scripts ran within one task.
//!
//! The browser calls a task long that takes more than 50 ms, whoever's work it is: a first layout is one as well,
//! and so is a short one that another program interrupts. What a tracker answers for is what its scripts do in
//! one task: to be read and compiled, to run, and what they make the browser do at once, such as a layout for
//! a height they ask for. The page has no other scripts; what `watch.js` does is left out, which has no address.
//! It is told by the thread's own clock, which stands still while other programs run, and goes on while the
//! browser holds the thread up to play a slower processor.

use std::time::Duration;

use anyhow::{Context, Result};
use doctor::devtools::Devtools;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::Instant;

const PATIENCE: Duration = Duration::from_secs(30);
/// Tasks are in the second, scripts in the first and the last.
const CATEGORIES: [&str; 3] =
    ["devtools.timeline", "disabled-by-default-devtools.timeline", "v8.execute"];
const TASK: &str = "RunTask";
const PARSED: &str = "ParseHTML";
/// A script, a module, what they are called by later, and what promises go on with.
const SCRIPT: [&str; 6] = [
    "EvaluateScript",
    "v8.compile",
    "v8.compileModule",
    "v8.evaluateModule",
    "FunctionCall",
    "RunMicrotasks",
];

/// Something that took time.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Span {
    name: String,
    pid: u64,
    tid: u64,
    /// When it began, and how long it took, in microseconds.
    ts: f64,
    #[serde(default)]
    dur: f64,
    /// The same by the thread's own clock.
    #[serde(default)]
    tdur: f64,
    #[serde(default)]
    args: Value,
}

impl Span {
    fn is_in(&self, task: &Self) -> bool {
        self.is_beside(task) && task.ts <= self.ts && self.ts + self.dur <= task.ts + task.dur
    }

    fn is_beside(&self, other: &Self) -> bool {
        (self.pid, self.tid) == (other.pid, other.tid)
    }

    /// Whether it ran a script of the page.
    fn is_script(&self) -> bool {
        let nobodys = self.args["data"]["url"].as_str().is_some_and(str::is_empty);
        SCRIPT.contains(&self.name.as_str()) && !nobodys
    }
}

/// From now on the browser notes what it does.
pub(crate) async fn start(devtools: &mut Devtools) -> Result<()> {
    let config = json!({ "includedCategories": CATEGORIES, "excludedCategories": ["*"] });
    let how = json!({ "transferMode": "ReportEvents", "traceConfig": config });
    devtools.command("Tracing.start", how).await?;
    Ok(())
}

/// What it has noted.
pub(crate) async fn stop(devtools: &mut Devtools) -> Result<Vec<Span>> {
    devtools.command("Tracing.end", json!({})).await?;
    let mut spans = Vec::new();
    loop {
        let event = devtools.event(Instant::now() + PATIENCE).await?;
        let event = event.context("the browser does not hand its trace over")?;
        match event.name.as_str() {
            "Tracing.dataCollected" => {
                let events = event.parameters["value"].as_array();
                for event in events.context("a trace of nothing")? {
                    // Spans have a length; what has none is a moment, or where a longer work began.
                    if event["ph"] == "X" {
                        spans.push(serde_json::from_value(event.clone())?);
                    }
                }
            }
            "Tracing.tracingComplete" => return Ok(spans),
            _ => {}
        }
    }
}

/// For how long the page's scripts ran in each task of its main thread, in milliseconds.
pub(crate) fn script_millis(spans: &[Span], page: &str) -> Result<Vec<f64>> {
    let parsed = spans
        .iter()
        .find(|span| span.name == PARSED && span.args["beginData"]["url"].as_str() == Some(page));
    let parsed = parsed.with_context(|| format!("the trace has no {page}"))?;
    let tasks = spans.iter().filter(|span| span.name == TASK && span.is_beside(parsed));
    Ok(tasks.map(|task| in_task(spans, task)).filter(|millis| *millis > 0.0).collect())
}

/// One script may call another, and that is one time.
fn in_task(spans: &[Span], task: &Span) -> f64 {
    let mut scripts: Vec<&Span> =
        spans.iter().filter(|span| span.is_script() && span.is_in(task)).collect();
    scripts.sort_by(|one, other| one.ts.total_cmp(&other.ts).then(other.dur.total_cmp(&one.dur)));
    let (mut micros, mut end) = (0.0, 0.0);
    for script in scripts {
        if script.ts >= end {
            end = script.ts + script.dur;
            micros += script.tdur;
        }
    }
    micros / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(name: &str, tid: u64, ts: f64, dur: f64, data: &Value) -> Span {
        let (name, args) = (name.to_owned(), json!({ "data": data }));
        Span { name, pid: 1, tid, ts, dur, tdur: dur / 2.0, args }
    }

    #[test]
    fn counts_what_scripts_do_in_a_task_once_and_nothing_else() {
        let page = "http://127.0.0.1:1/footfall/";
        let none = Value::Null;
        let tracker = json!({ "url": "http://127.0.0.1:2/footfall/footfall.js" });
        let mut parsed = span(PARSED, 7, 0.0, 10.0, &none);
        parsed.args = json!({ "beginData": { "url": page } });
        let spans = [
            parsed,
            span(TASK, 7, 0.0, 100_000.0, &none),
            span("Layout", 7, 10.0, 60_000.0, &none),
            span("EvaluateScript", 7, 70_000.0, 20_000.0, &tracker),
            span("v8.compile", 7, 70_000.0, 4_000.0, &tracker),
            span("RunMicrotasks", 7, 92_000.0, 1_000.0, &none),
            span("v8.evaluateModule", 7, 93_500.0, 1_000.0, &none),
            span("FunctionCall", 7, 95_000.0, 4_000.0, &json!({ "url": "" })),
            span(TASK, 7, 200_000.0, 60_000.0, &none),
            span("Layout", 7, 200_000.0, 60_000.0, &none),
            span(TASK, 8, 0.0, 90_000.0, &none),
            span("EvaluateScript", 8, 0.0, 90_000.0, &tracker),
        ];
        assert_eq!(script_millis(&spans, page).unwrap(), [11.0]);
        assert!(script_millis(&spans, "http://127.0.0.1:1/pure/").is_err());
    }
}
