//! What follows from a visit: one finding a check, and what to do where something is wrong.

use std::fmt;

use serde::Serialize;
use serde_json::Value;
use url::Url;

use crate::visit::{Request, Visit};

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Ok,
    /// It works, but something is left to know or to better.
    Note,
    /// Visitors are not measured, or not as they should be.
    Wrong,
}

impl fmt::Display for State {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Wrong => "wrong",
        })
    }
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `page`, `tag`, `script`, `policy`, `tracker`, `parts`, `consent`, `events`, `ids`, `leaving`, `denial`.
    pub check: &'static str,
    /// How it came out.
    pub state: State,
    /// What was seen.
    pub seen: String,
    /// What to do; empty where there is nothing to do.
    pub advice: String,
}

/// All checks of a page, in the order of a visit.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The page.
    pub url: Url,
    /// What was found.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether visitors are measured as they should be.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.findings.iter().all(|finding| finding.state != State::Wrong)
    }

    pub(crate) fn of(url: &Url, visit: &Visit) -> Self {
        let mut findings = vec![page(visit)];
        if visit.unreachable.is_none() {
            findings.push(tag(visit));
            let script = script_request(visit);
            findings.extend(script.map(script_served));
            if script.is_some_and(|script| script.status == Some(200)) {
                findings.extend([policy(visit), tracker(visit)]);
                findings.extend(missing_part(visit));
                findings.push(consent(visit));
                findings.extend([events(visit), ids(visit), leaving(visit)]);
                findings.extend(denial(visit));
            }
        }
        Self { url: url.clone(), findings }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}", self.url)?;
        for Finding { check, state, seen, advice } in &self.findings {
            writeln!(out, "  {:<7}{check:<9}{seen}", state.to_string())?;
            if !advice.is_empty() {
                writeln!(out, "{:18}-> {advice}", "")?;
            }
        }
        Ok(())
    }
}

fn ok(check: &'static str, seen: impl Into<String>) -> Finding {
    Finding { check, state: State::Ok, seen: seen.into(), advice: String::new() }
}

fn note(check: &'static str, seen: impl Into<String>, advice: impl Into<String>) -> Finding {
    Finding { check, state: State::Note, seen: seen.into(), advice: advice.into() }
}

fn wrong(check: &'static str, seen: impl Into<String>, advice: impl Into<String>) -> Finding {
    Finding { check, state: State::Wrong, seen: seen.into(), advice: advice.into() }
}

fn page(visit: &Visit) -> Finding {
    if let Some(error) = &visit.unreachable {
        return wrong(
            "page",
            format!("cannot be opened: {error}"),
            "open it in a browser of yours",
        );
    }
    // The last, since the first may have led on to another address.
    let asked = visit.requests.iter().rev().find(|request| request.is_page);
    match asked.and_then(|request| request.status) {
        Some(status) if status >= 400 => {
            wrong("page", format!("answers {status}"), "name a page that visitors come to")
        }
        Some(status) => ok("page", format!("answers {status}")),
        None => note("page", "was opened; its own answer was not seen", ""),
    }
}

/// The site that an address ending in `/s/SITE.js` names.
fn site_of(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let (_, name) = url.path().rsplit_once("/s/")?;
    let name = name.strip_suffix(".js")?;
    let name = name.strip_suffix(".stream").unwrap_or(name);
    (!name.is_empty() && !name.contains('/')).then(|| name.to_owned())
}

/// Its headers say whose the script is where a site serves it under a name of its own. Pages and scripts of
/// older sites have its character set, too, but do not offer themselves to every other origin beside that.
fn is_script(request: &Request) -> bool {
    let says = |name, value: &str| request.header(name) == Some(value);
    site_of(&request.url).is_some()
        || says("content-type", "text/javascript; charset=windows-1252")
            && says("cross-origin-resource-policy", "cross-origin")
}

fn script_request(visit: &Visit) -> Option<&Request> {
    visit.requests.iter().find(|request| is_script(request))
}

fn tag(visit: &Visit) -> Finding {
    const HOW: &str = "put the line that `footfall site add` printed into the page's <head>";
    let named = visit.page.tags.iter().filter(|address| site_of(address).is_some()).count();
    match (script_request(visit), named) {
        (None, 0) => wrong("tag", "no script of Footfall's in the page", HOW),
        (None, _) => wrong(
            "tag",
            "the tag is in the page, and the browser never asked for its script",
            "a nonce is missing on the tag, or the page's Content-Security-Policy does not list the collector under script-src",
        ),
        (Some(_), 2..) => note(
            "tag",
            format!("{named} tags in the page"),
            "one is enough: the second of one site does nothing",
        ),
        (Some(script), _) => ok("tag", script.url.clone()),
    }
}

const NO_SUCH_SITE: &str = "most likely there is no site of the name in the tag: `footfall site list` names those there \
    are; a new one is known within seconds";

fn script_served(script: &Request) -> Finding {
    let said = script.header("content-type").unwrap_or_default();
    match (script.status, &script.failed) {
        (None, Some(why)) if why.contains("csp") => wrong(
            "script",
            format!("blocked: {why}"),
            format!(
                "add {} to script-src of the page's Content-Security-Policy",
                origin(&script.url)
            ),
        ),
        // A browser hands no script of another origin on that is JSON, as an answer of 404 is, nor its status.
        (None, Some(why)) if why.contains("BLOCKED_BY_ORB") => {
            wrong("script", format!("what was answered is no script: {why}"), NO_SUCH_SITE)
        }
        (None, Some(why)) => wrong(
            "script",
            format!("not loaded: {why}"),
            "is the collector running, and reached over https where the page is?",
        ),
        (None, None) => wrong("script", "not answered", "is the collector running?"),
        (Some(404), _) => wrong("script", "answers 404", NO_SUCH_SITE),
        (Some(status), _) if status != 200 => {
            wrong("script", format!("answers {status}"), "ask the collector's operator")
        }
        _ if !said.contains("windows-1252") => wrong(
            "script",
            format!("content type {said:?}"),
            "a proxy has changed it: text/javascript; charset=windows-1252 must reach the browser",
        ),
        _ if script.header("content-encoding").is_none() => note(
            "script",
            "served, but not compressed",
            "let the proxy hand on Accept-Encoding and Content-Encoding: it is half the bytes",
        ),
        _ => ok(
            "script",
            format!(
                "served, {} compressed, {}",
                script.header("content-encoding").unwrap_or_default(),
                script.header("cache-control").unwrap_or_default()
            ),
        ),
    }
}

fn policy(visit: &Visit) -> Finding {
    let complaint = visit.complaints.iter().find(|text| text.contains("Content Security Policy"));
    match (visit.page.wasm, complaint) {
        (false, _) => note(
            "policy",
            "the page's Content-Security-Policy forbids WebAssembly",
            "add 'wasm-unsafe-eval' to script-src: until then views, calls and clicks are counted, and engagement is not",
        ),
        (true, Some(complaint)) => {
            note("policy", format!("WebAssembly is allowed; {complaint}"), "")
        }
        (true, None) => ok("policy", "WebAssembly is allowed"),
    }
}

fn tracker(visit: &Visit) -> Finding {
    let page = &visit.page;
    match (page.site.as_str(), page.ready, page.wasm) {
        ("", ..) => wrong(
            "tracker",
            "the script was served and does not run",
            "does something replace window.footfall, or rewrite scripts?",
        ),
        (site, false, _) => wrong(
            "tracker",
            format!("begun for the site {site}, and ended"),
            "open the page with ?footfall_debug and look at the console",
        ),
        (site, true, true) => ok("tracker", format!("runs for the site {site}")),
        (site, true, false) => note(
            "tracker",
            format!("the fallback without WebAssembly runs for the site {site}"),
            "",
        ),
    }
}

/// A part that the tag or the site names, and that is none.
fn missing_part(visit: &Visit) -> Option<Finding> {
    let name = visit.requests.iter().find_map(|request| {
        let (_, file) = request.url.rsplit_once("/s/footfall-")?;
        let (_, name) = file.strip_suffix(".js")?.split_once('.')?;
        (request.status == Some(404)).then_some(name)
    });
    name.map(|name| {
        wrong(
            "parts",
            format!("there is no part {name}"),
            "mend `data-with` of the tag, or `footfall site add --with`: `footfall site add --help` names the parts",
        )
    })
}

fn consent(visit: &Visit) -> Finding {
    let page = &visit.page;
    let signals = [
        (page.do_not_track, "Do Not Track"),
        (page.global_privacy_control, "Global Privacy Control"),
    ];
    let signals: Vec<_> =
        signals.iter().filter(|(is_set, _)| *is_set).map(|(_, name)| *name).collect();
    let told = batches(visit).into_iter().flat_map(|(_, batch)| batch.events).next_back();
    let said = told.map(|event| event["consent"].to_string());
    match (said, page.kept.get("consent")) {
        (Some(said), _) => ok("consent", format!("events go with {said}")),
        (None, Some(kept)) => note(
            "consent",
            format!("the visitor's answers are {kept}"),
            "nothing is sent of who denies analytics",
        ),
        (None, None) => note(
            "consent",
            format!(
                "not asked; the browser says {}",
                if signals.is_empty() { "nothing".to_owned() } else { signals.join(", ") }
            ),
            "where the site waits for an answer nothing is sent before it: --consent granted gives one, as footfall('consent', {...}) does",
        ),
    }
}

struct Batch {
    events: Vec<Value>,
}

impl Batch {
    fn kinds(&self) -> impl Iterator<Item = &str> {
        self.events.iter().filter_map(|event| event["type"].as_str())
    }
}

/// Requests that carried events, and these.
fn batches(visit: &Visit) -> Vec<(&Request, Batch)> {
    let posted = visit.requests.iter().filter(|request| request.method == "POST");
    let read = posted.filter_map(|request| {
        let batch: Value = serde_json::from_str(&request.body).ok()?;
        let events = batch["events"].as_array()?.clone();
        batch["site"].is_string().then_some((request, Batch { events }))
    });
    read.collect()
}

fn events(visit: &Visit) -> Finding {
    // Of a page that is gone nobody hears the answer.
    let mut batches = batches(visit);
    batches.retain(|(request, _)| !request.leaving);
    if batches.is_empty() {
        return match visit.page.kept.get("consent") {
            Some(denied) if denied.starts_with("denied") => {
                note("events", "none: the visitor denies analytics", "")
            }
            _ => none_sent(visit),
        };
    }
    let wrong = batches.iter().find_map(|(request, batch)| not_taken(visit, request, batch));
    wrong.unwrap_or_else(|| {
        let kinds = batches.iter().flat_map(|(_, batch)| batch.kinds());
        let kinds = kinds.fold(Vec::new(), |mut kinds, kind| {
            kinds.extend((!kinds.contains(&kind)).then_some(kind));
            kinds
        });
        ok("events", format!("{} sent and taken", kinds.join(", ")))
    })
}

/// Whether that is as it should be: what waits for consent waits in memory, unless it went on its way already.
fn none_sent(visit: &Visit) -> Finding {
    let script = script_request(visit).map(|script| origin(&script.url));
    let blocked = visit.complaints.iter().find_map(|complaint| {
        let to = complaint.split('\'').find(|part| part.starts_with("http"))?;
        let is_ours = to.ends_with("/v1/events") || script.as_ref() == Some(&origin(to));
        (complaint.contains("connect-src") && is_ours).then(|| origin(to))
    });
    match (blocked, visit.page.kept.get("queue")) {
        (Some(to), _) => wrong(
            "events",
            "none gets out: the page's Content-Security-Policy forbids it to connect to the collector",
            format!("add {to} to connect-src of the page's Content-Security-Policy"),
        ),
        (None, Some(_)) => wrong(
            "events",
            "none was sent: they are kept in the browser",
            "open the page with ?footfall_debug and look at the console",
        ),
        (None, None) => note(
            "events",
            "none was sent",
            "right only where the site waits for consent (--consent granted gives it), or keeps its own page views",
        ),
    }
}

/// What is wrong with how a batch was answered, if anything.
fn not_taken(visit: &Visit, request: &Request, batch: &Batch) -> Option<Finding> {
    let finding = match (request.status, &request.failed, request.header("x-footfall-dropped")) {
        (Some(202), _, None) => return None,
        (Some(202), _, Some(why)) => wrong(
            "events",
            format!("{} sent; left out: {why}", batch.kinds().collect::<Vec<_>>().join(", ")),
            "docs/WIRE.md says what each reason means",
        ),
        (Some(403), ..) => wrong(
            "events",
            "answered 403",
            format!(
                "the page's origin is not the site's: `footfall site add {} --origin ...` with all of them and of the site's other settings",
                visit.page.site
            ),
        ),
        (Some(status), ..) => wrong(
            "events",
            format!("answered {status}"),
            "the browser keeps them and tries again; ask the collector's operator",
        ),
        (None, Some(why), _) => wrong(
            "events",
            format!("not delivered to {}: {why}", request.url),
            format!(
                "connect-src of the page's Content-Security-Policy must list {}",
                origin(&request.url)
            ),
        ),
        (None, None, _) => wrong("events", "sent, and not answered", "is the collector running?"),
    };
    Some(finding)
}

fn ids(visit: &Visit) -> Finding {
    let keys: Vec<_> = visit.page.kept.keys().map(String::as_str).collect();
    match keys.is_empty() {
        true => note(
            "ids",
            "nothing is kept in the browser",
            "right for a site without ids, before consent, or where the browser forbids storage",
        ),
        false => ok("ids", format!("kept in localStorage: {}; no cookie", keys.join(", "))),
    }
}

fn leaving(visit: &Visit) -> Finding {
    let beacon = visit.requests.iter().find(|request| request.leaving && request.method == "POST");
    match beacon {
        Some(_) => ok("leaving", "a last beacon was sent"),
        None => note("leaving", "nothing was left to send", ""),
    }
}

/// Whether a visitor who denies is left alone. The last that may be heard of one is the denial itself.
fn denial(visit: &Visit) -> Option<Finding> {
    let denied_at = visit.denied_at?;
    // The one clock tells whole milliseconds.
    let later = batches(visit).into_iter().filter(|(request, _)| request.at > denied_at + 1.0);
    let later: Vec<Value> = later.flat_map(|(_, batch)| batch.events).collect();
    let told = later.iter().filter_map(|event| event["name"].as_str().or(event["type"].as_str()));
    let told: Vec<_> = told.filter(|name| *name != "consent").collect();
    let kept: Vec<_> = visit.page.kept.keys().filter(|key| !key.starts_with("consent")).collect();
    let advice = "nothing is to be left of who denies analytics: does an older script of the collector lie in a cache, \
                  or something call footfall('consent', ...) again?";
    Some(match (&told[..], &kept[..]) {
        ([], []) => ok("denial", "nothing is sent after it, and nothing kept but the answer"),
        ([], kept) => wrong("denial", format!("still kept after it: {kept:?}"), advice),
        (told, _) => wrong("denial", format!("sent after it: {}", told.join(", ")), advice),
    })
}

fn origin(address: &str) -> String {
    Url::parse(address)
        .map_or_else(|_| address.to_owned(), |url| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests;
