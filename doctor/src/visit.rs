//! What happened when the page was opened, looked at and left.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;
use url::Url;

use crate::browser::Browser;
use crate::devtools::{Devtools, Event};
use crate::{Answer, DoctorError};

/// Between two looks at whether the tracker is through.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long the last beacon may take.
const LEAVING: Duration = Duration::from_secs(5);

/// What the page knows. The module of 8 bytes is the smallest there is: whether it may be made is what the
/// page's policy says of WebAssembly.
const ASK: &str = "(async () => {
    const tracker = window.footfall || {};
    const prefix = `footfall.${tracker.site}.`;
    const kept = {};
    try {
        for (const key of Object.keys(localStorage))
            if (key.startsWith(prefix)) kept[key.slice(prefix.length)] = localStorage[key];
    } catch {}
    const smallest = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
    return {
        site: tracker.site || '',
        ready: !!tracker.ready,
        idle: !!(tracker.ready && tracker.idle && tracker.idle()),
        wasm: await WebAssembly.instantiate(smallest).then(() => true, () => false),
        tags: [...document.querySelectorAll('script[src]')].map((script) => script.src),
        kept,
        do_not_track: navigator.doNotTrack === '1',
        global_privacy_control: !!navigator.globalPrivacyControl,
    };
})()";

/// As when the visitor has answered the site's banner; and when that was.
const ANSWER: &str = "(() => {
    const answer = 'ANSWER';
    footfall('consent', { analytics: answer, personalization: answer, ads: answer });
    return Date.now();
})()";

/// As when the visitor leaves. The page does not really go: what it sends after that, the browser does not
/// tell.
const LEAVE: &str = "Object.defineProperty(document, 'hidden', { get: () => true });
    document.dispatchEvent(new Event('visibilitychange'));";

/// What the page said of itself; nothing, where it could not be asked.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Page {
    /// The site the tracker runs for; empty where there is no tracker.
    pub(crate) site: String,
    pub(crate) ready: bool,
    /// Whether all that was seen has been answered.
    pub(crate) idle: bool,
    /// Whether the page's policy allows WebAssembly.
    pub(crate) wasm: bool,
    /// Addresses of the page's scripts.
    pub(crate) tags: Vec<String>,
    /// What the tracker keeps in the browser, by the key behind `footfall.SITE.`.
    pub(crate) kept: std::collections::BTreeMap<String, String>,
    pub(crate) do_not_track: bool,
    pub(crate) global_privacy_control: bool,
}

/// A request and what became of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) method: String,
    pub(crate) body: String,
    /// Whether it is the page itself that was asked for.
    pub(crate) is_page: bool,
    /// Whether the visitor was leaving.
    pub(crate) leaving: bool,
    /// When it was sent: milliseconds since 1970, by the browser's clock.
    pub(crate) at: f64,
    pub(crate) status: Option<u16>,
    pub(crate) headers: Value,
    /// Why there was no answer, in the browser's words.
    pub(crate) failed: Option<String>,
}

impl Request {
    /// A header of the answer, by its name in small letters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let headers = self.headers.as_object()?;
        let found = headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.and_then(|(_, value)| value.as_str())
    }
}

/// A visit to one page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Visit {
    pub(crate) requests: Vec<Request>,
    /// What the console said was wrong.
    pub(crate) complaints: Vec<String>,
    pub(crate) page: Page,
    /// Why the page could not be opened.
    pub(crate) unreachable: Option<String>,
    /// The page's own frame, by its name in the protocol.
    pub(crate) frame: String,
    pub(crate) left: bool,
    /// When the visitor denied, by the same clock.
    pub(crate) denied_at: Option<f64>,
}

impl Visit {
    /// Opens the page, waits until the tracker is through, answers, and leaves.
    pub(crate) async fn to(
        url: &Url,
        answer: Option<Answer>,
        patience: Duration,
    ) -> Result<Self, DoctorError> {
        let browser = Browser::start().await?;
        let visit = Self::in_browser(&browser, url, answer, patience).await;
        browser.stop().await;
        visit
    }

    async fn in_browser(
        browser: &Browser,
        url: &Url,
        answer: Option<Answer>,
        patience: Duration,
    ) -> Result<Self, DoctorError> {
        let began = Instant::now();
        let end = began + patience * 3 + LEAVING;
        let mut devtools = Devtools::open(&browser.address, end + LEAVING).await?;
        for domain in ["Page.enable", "Network.enable", "Runtime.enable", "Log.enable"] {
            devtools.command(domain, json!({})).await?;
        }
        let mut visit = Self::default();
        let opened = devtools.command("Page.navigate", json!({ "url": url.as_str() })).await?;
        if let Some(error) = opened["errorText"].as_str() {
            visit.unreachable = Some(error.to_owned());
            return Ok(visit);
        }
        visit.frame = opened["frameId"].as_str().unwrap_or_default().to_owned();
        visit
            .watch(&mut devtools, began + patience, |event| event.name == "Page.loadEventFired")
            .await?;
        if let Some(answer) = answer {
            // What waits for the answer is never through before it.
            visit.until(&mut devtools, patience, |page| page.ready).await?;
            visit.says(&mut devtools, answer).await?;
        }
        visit.until(&mut devtools, patience, |page| page.idle).await?;
        visit.read_bodies(&mut devtools).await;
        // A sign of the visitor: then there is something to tell when they leave.
        let moved = json!({ "type": "mouseMoved", "x": 20, "y": 20 });
        devtools.command("Input.dispatchMouseEvent", moved).await?;
        visit.left = true;
        let leave = json!({ "expression": LEAVE });
        devtools.command("Runtime.evaluate", leave).await?;
        let is_beacon = |event: &Event| {
            event.name == "Network.requestWillBeSent" && event.parameters["type"] == "Ping"
        };
        visit.watch(&mut devtools, Instant::now() + LEAVING, is_beacon).await?;
        Ok(visit)
    }

    /// Waits until the page is so far, or the `patience` is at its end.
    async fn until(
        &mut self,
        devtools: &mut Devtools,
        patience: Duration,
        is_so_far: impl Fn(&Page) -> bool,
    ) -> Result<(), DoctorError> {
        let deadline = Instant::now() + patience;
        loop {
            self.page = ask(devtools).await?;
            if is_so_far(&self.page) || Instant::now() > deadline {
                return Ok(());
            }
            self.watch(devtools, Instant::now() + LOOK_EVERY, |_| false).await?;
        }
    }

    /// Says what the visitor agrees to, where there is a tracker to hear it.
    async fn says(&mut self, devtools: &mut Devtools, answer: Answer) -> Result<(), DoctorError> {
        let word = match answer {
            Answer::Granted => "granted",
            Answer::Denied => "denied",
        };
        if self.page.ready {
            let said = json!({ "expression": ANSWER.replace("ANSWER", word) });
            let answered = devtools.command("Runtime.evaluate", said).await?;
            let at = answered["result"]["value"].as_f64();
            self.denied_at = at.filter(|_| answer == Answer::Denied);
        }
        Ok(())
    }

    /// Takes note of events until one is what was waited for, or the time is up.
    async fn watch(
        &mut self,
        devtools: &mut Devtools,
        until: Instant,
        is_last: impl Fn(&Event) -> bool,
    ) -> Result<(), DoctorError> {
        while let Some(event) = devtools.event(until).await? {
            self.note(&event);
            if is_last(&event) {
                break;
            }
        }
        Ok(())
    }

    fn note(&mut self, Event { name, parameters }: &Event) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let id = text(&parameters["requestId"]);
        match name.as_str() {
            "Network.requestWillBeSent" => self.requests.push(Request {
                id,
                url: text(&parameters["request"]["url"]),
                method: text(&parameters["request"]["method"]),
                body: text(&parameters["request"]["postData"]),
                is_page: parameters["type"] == "Document" && parameters["frameId"] == self.frame,
                leaving: self.left,
                at: parameters["wallTime"].as_f64().unwrap_or_default() * 1000.0,
                ..Request::default()
            }),
            "Network.responseReceived" => {
                if let Some(request) = self.request(&id) {
                    let status = parameters["response"]["status"].as_u64();
                    request.status = status.and_then(|status| u16::try_from(status).ok());
                    request.headers = parameters["response"]["headers"].clone();
                }
            }
            "Network.loadingFailed" => {
                if let Some(request) = self.request(&id) {
                    let reasons = ["errorText", "blockedReason"].map(|key| text(&parameters[key]));
                    let cors = text(&parameters["corsErrorStatus"]["corsError"]);
                    let reasons = reasons.into_iter().chain([cors]).filter(|why| !why.is_empty());
                    request.failed = Some(reasons.collect::<Vec<_>>().join(", "));
                }
            }
            "Log.entryAdded" if parameters["entry"]["level"] == "error" => {
                self.complaints.push(text(&parameters["entry"]["text"]));
            }
            _ => {}
        }
    }

    fn request(&mut self, id: &str) -> Option<&mut Request> {
        self.requests.iter_mut().rev().find(|request| request.id == id)
    }

    /// A longer body is not told with the request, and gone when the page is.
    async fn read_bodies(&mut self, devtools: &mut Devtools) {
        let posted = |request: &&mut Request| request.method == "POST" && request.body.is_empty();
        for request in self.requests.iter_mut().filter(posted) {
            let asked = json!({ "requestId": request.id });
            // One that has no text to give has no events either.
            if let Ok(answer) = devtools.command("Network.getRequestPostData", asked).await {
                request.body = answer["postData"].as_str().unwrap_or_default().to_owned();
            }
        }
    }
}

async fn ask(devtools: &mut Devtools) -> Result<Page, DoctorError> {
    let question = json!({ "expression": ASK, "awaitPromise": true, "returnByValue": true });
    let answer = devtools.command("Runtime.evaluate", question).await?;
    // A page on its way to another one cannot be asked; the next one can.
    Ok(serde_json::from_value(answer["result"]["value"].clone()).unwrap_or_default())
}
