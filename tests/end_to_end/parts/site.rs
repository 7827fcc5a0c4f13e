//! A site of a few pages that has parts of the tracker switched on, and what is stored of its visitors.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use axum::Router;
use axum::http::Uri;
use example_shop::browser::{Browser, Tab};
use example_shop::visitor::Device;
use footfall_tests::{Stack, eventually};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower_http::services::ServeDir;

pub(super) const LAPTOP: Device = Device {
    user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    width: 1280,
    height: 800,
    mobile: false,
};

/// In every page: what went wrong in it, and whether a part has come and runs.
const EARLY: &str = "window.wrong = []; window.running = {};
    addEventListener('error', (event) => wrong.push(event.message));
    addEventListener('unhandledrejection', (event) => wrong.push(String(event.reason)));
    window.runs = (part) => running[part] === true;
    // The tracker asked for the module first, and so goes on first.
    setInterval(() => {
        for (const { name } of performance.getEntriesByType('resource')) {
            const [, part] = /footfall-[0-9a-f]+[.]([a-z-]+)[.]js$/.exec(name) || [];
            if (!part || part in running) continue;
            running[part] = false;
            import(name).then(() => setTimeout(() => { running[part] = true; }));
        }
    }, 20);";

/// A web server that is not yet one: its address is known, and what it serves is not.
pub(super) struct Site {
    listener: TcpListener,
    /// `http://127.0.0.1:PORT`
    pub(super) origin: String,
}

impl Site {
    pub(super) async fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        Self { listener, origin }
    }

    /// The same server by its other name.
    pub(super) fn other_origin(&self) -> String {
        self.origin.replace("127.0.0.1", "localhost")
    }

    /// Serves pages by their paths, the first under every other; `HEAD` in a page becomes the tag and what
    /// goes before it. Packages are under `/npm`.
    pub(super) fn serve(
        self,
        pages: &[(&str, &str)],
        head: &str,
        policy: &str,
        npm: Option<&Path>,
    ) -> String {
        // Twice on one element, a nonce counts for nothing.
        let head = format!("<script >{EARLY}</script>{head}");
        let nonce = if policy.contains("nonce-") { "nonce=\"r4nd0m\" " } else { "" };
        let head = head.replace("<script ", &format!("<script {nonce}"));
        let pages: HashMap<String, String> = pages
            .iter()
            .map(|(path, page)| ((*path).to_owned(), page.replace("HEAD", &head)))
            .collect();
        let policy = policy.to_owned();
        let page = move |uri: Uri| {
            let path = if pages.contains_key(uri.path()) { uri.path() } else { "/" };
            let page = pages.get(path).cloned().unwrap_or_default();
            let kind = if path.ends_with(".js") { "text/javascript" } else { "text/html" };
            let head =
                [("content-type", kind.to_owned()), ("content-security-policy", policy.clone())];
            async move { (head, page) }
        };
        let mut server = Router::new().fallback(page);
        if let Some(npm) = npm {
            server = server.nest_service("/npm", ServeDir::new(npm));
        }
        let Self { listener, origin } = self;
        tokio::spawn(async move { axum::serve(listener, server).await });
        origin
    }
}

/// The tag of a new site with these parts and options, as attributes.
pub(super) fn tag(stack: &Stack, site: &str, origins: &[&str], options: &str) -> String {
    added(stack, site, origins, &[]).replace("<script ", &format!("<script {options} "))
}

/// The tag of a new site with these settings, as flags of `footfall site add`.
pub(super) fn added(stack: &Stack, site: &str, origins: &[&str], settings: &[&str]) -> String {
    let mut add = vec!["site", "add", site, "--collector-url", &stack.collector];
    add.extend(settings);
    add.extend(origins.iter().flat_map(|origin| ["--origin", origin]));
    let tag = stack.footfall(&add).unwrap();
    // The collector reads the sites anew every few seconds.
    let script = format!("{}/s/{site}.js", stack.collector);
    eventually(Duration::from_secs(60), || Ok(ureq::get(&script).call()?)).unwrap();
    tag.trim().to_owned()
}

/// The house and a browser in it, both to be stopped by [`closed`].
pub(super) async fn opened() -> (Stack, Browser) {
    (Stack::up(&[]).unwrap(), Browser::start().await.unwrap())
}

pub(super) async fn closed(stack: Stack, browser: Browser) {
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

pub(super) async fn visitor(browser: &Browser) -> Tab {
    browser.visitor(&LAPTOP, "en", None).await.unwrap()
}

/// Comes to a page, and waits until these parts run in it.
pub(super) async fn come(tab: &Tab, url: &str, parts: &[&str]) {
    tab.come_to(url, "").await.unwrap();
    here(tab, parts).await;
}

/// Waits until the page is whole, and these parts run in it.
pub(super) async fn here(tab: &Tab, parts: &[&str]) {
    tab.wait_until("document.readyState === 'complete' && footfall.ready").await.unwrap();
    for part in parts {
        tab.wait_until(&format!("runs('{part}')")).await.unwrap();
    }
}

/// Fails where anything went wrong in the page, and says what.
pub(super) async fn is_well(tab: &Tab) {
    assert_eq!(tab.evaluate("wrong").await.unwrap(), json!([]));
}

/// Leaves for a page of nobody's.
pub(super) async fn leave(tab: &Tab) {
    tab.come_to("about:blank", "").await.unwrap();
}

pub(super) async fn run(tab: &Tab, script: &str) {
    tab.evaluate(&format!("(() => {{ {script}; return true; }})()")).await.unwrap();
}

/// What is stored of a site, both of people and of what the browser sends with its own user agent when a page
/// is gone: a headless one. What the next page sends again is then in both tables, under its one id.
pub(super) fn events(stack: &Stack, site: &str) -> Vec<Value> {
    let columns = "site, name, host, path, visitor_id, session_id, value, currency, properties, occurred_at, event_id,
        consent_analytics, consent_personalization, consent_ads";
    let question = format!(
        "SELECT * FROM (SELECT {columns} FROM footfall.events FINAL UNION ALL
            SELECT {columns} FROM footfall.bot_events FINAL)
         WHERE site = '{site}' ORDER BY occurred_at, event_id LIMIT 1 BY event_id"
    );
    stack.rows(&question).unwrap()
}

/// Waits until just these events of a site are stored, in any order: some share a millisecond. Engagement is
/// left aside.
pub(super) fn stored(stack: &Stack, site: &str, expected: &[&str]) -> Vec<Value> {
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    eventually(Duration::from_secs(60), || {
        let mut events = events(stack, site);
        events.retain(|event| event["name"] != "engagement");
        let mut names: Vec<_> = events.iter().filter_map(|event| event["name"].as_str()).collect();
        names.sort_unstable();
        ensure!(names == expected, "of {site} there are {names:?}, not {expected:?}");
        Ok(events)
    })
    .unwrap()
}

/// The properties of the events of one name.
pub(super) fn properties(events: &[Value], name: &str) -> Vec<Value> {
    events
        .iter()
        .filter(|event| event["name"] == name)
        .map(|event| event["properties"].clone())
        .collect()
}

/// Waits until so many events of one name are stored of a site; their properties, in order.
pub(super) fn told(stack: &Stack, site: &str, name: &str, count: usize) -> Vec<Value> {
    eventually(Duration::from_secs(60), || {
        let told = properties(&events(stack, site), name);
        ensure!(told.len() == count, "of {site} there are {told:?}");
        Ok(told)
    })
    .unwrap()
}
