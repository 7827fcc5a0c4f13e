//! Pages that Chromium makes ready ahead, by a speculation rule: one that the visitor comes to, and one never.
//!
//! In a page with a debugger Chromium only fetches what it would prerender (`PrerenderingDisabledByDevTools`, says the
//! `Preload` domain of its protocol), so nobody looks into these pages: they tell the server that they came from.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use axum::Router;
use axum::http::{HeaderMap, Uri};
use axum::response::Html;
use axum::routing::{get, post};
use doctor::browser::Browser;
use footfall_tests::{Stack, eventually};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

/// How long a browser may take for a page on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// In every page: it tells what has come to pass, where, whether the page is made ready ahead, whether it was and
/// the visitor came to it, and how much is kept in the browser.
const TELLING: &str = "<script>
    const tell = (what) => fetch('/told', { method: 'POST', body: [
        what, location.pathname,
        document.prerendering ? 'ahead' : 'seen',
        performance.getEntriesByType('navigation')[0].activationStart > 0 ? 'activated' : 'not-activated',
        localStorage.length + sessionStorage.length + document.cookie.length,
    ].join(' ') });
    document.addEventListener('prerenderingchange', () => tell('come-to'));
</script>";

/// It is not measured: so nothing but a page made ready ahead can be counted, or keep anything. The link is followed
/// when the test says so.
const FIRST: &str = "<script type='speculationrules'>
    {\"prerender\": [{\"source\": \"list\", \"urls\": [\"/next\", \"/never\"], \"eagerness\": \"immediate\"}]}
</script>
<a id='link' href='/next'>Next</a>
<script>fetch('/go').then(() => link.click());</script>";

/// A web server that tells what it is asked for and told, and holds `/go` back.
struct Site {
    lines: mpsc::UnboundedReceiver<String>,
    heard: Vec<String>,
    go: Arc<Notify>,
}

impl Site {
    /// Serves the first page, and one with this tag under every other address.
    fn serve(listener: TcpListener, tag: &str) -> Self {
        let page = |body: &str| Html(format!("<!doctype html><title>Page</title>{TELLING}{body}"));
        let (first, measured) = (page(FIRST), page(tag));
        let (told, lines) = mpsc::unbounded_channel();
        let asked = told.clone();
        let page = async move |uri: Uri, headers: HeaderMap| {
            let purpose = headers.get("sec-purpose").and_then(|purpose| purpose.to_str().ok());
            asked.send(format!("asked {} {}", uri.path(), purpose.unwrap_or("to-see"))).unwrap();
            measured
        };
        let go = Arc::new(Notify::new());
        let held = Arc::clone(&go);
        let pages = Router::new()
            .route("/", get(async || first))
            .route("/told", post(async move |line: String| told.send(line).unwrap()))
            .route("/go", get(async move || held.notified().await))
            .fallback(page);
        tokio::spawn(async move { axum::serve(listener, pages).await });
        Self { lines, heard: Vec::new(), go }
    }

    /// Waits until all of these have been told, in any order.
    async fn hears(&mut self, expected: &[&str]) {
        while !expected.iter().all(|line| self.heard.iter().any(|heard| heard == line)) {
            let heard = timeout(PATIENCE, self.lines.recv()).await.ok().flatten();
            let Some(heard) = heard else { panic!("{expected:?} are not all in {:?}", self.heard) };
            self.heard.push(heard);
        }
    }

    /// All that has been told.
    fn all(mut self) -> Vec<String> {
        while let Ok(heard) = self.lines.try_recv() {
            self.heard.push(heard);
        }
        self.heard
    }
}

/// What is stored of the site, in both tables: a headless browser says in its user agent what it is. How long a page
/// was looked at is another test's.
fn counted(stack: &Stack) -> Vec<Value> {
    let one = |table| {
        format!(
            "SELECT name, path, referrer FROM footfall.{table} FINAL
             WHERE site = 'ahead' AND kind != 'engagement'"
        )
    };
    let both =
        format!("SELECT * FROM ({} UNION ALL {}) ORDER BY path", one("events"), one("bot_events"));
    stack.rows(&both).unwrap()
}

fn is_counted(stack: &Stack, event: &Value) {
    eventually(PATIENCE, || {
        let counted = counted(stack);
        ensure!(counted.contains(event), "{event} is not in {counted:?}");
        Ok(())
    })
    .unwrap();
}

/// Sends an event that nobody's page does, and waits for it: what was sent before is stored then, too.
fn passes(stack: &Stack, origin: &str, path: &str) -> Value {
    let visitor = "018f4d5e-0000-7000-8000-00000000000a";
    let query = format!("site=ahead&visitor={visitor}&url={origin}{path}");
    ureq::get(format!("{}/v1/pixel.gif?{query}", stack.collector)).call().unwrap();
    let event = json!({ "name": "page_view", "path": path, "referrer": "" });
    is_counted(stack, &event);
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_chromium_prerenders_is_viewed_when_it_is_come_to_and_else_never() {
    let stack = Stack::up(&[]).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let tag = stack.site("ahead", &origin).unwrap();
    let telling = "<script onload='tell(`tracker ${typeof footfall}`)' ";
    let mut site = Site::serve(listener, &tag.replace("<script ", telling));
    let browser = Browser::start().await.unwrap();
    let (port, _) = browser.address.trim_start_matches("ws://127.0.0.1:").split_once('/').unwrap();
    ureq::put(format!("http://127.0.0.1:{port}/json/new?{origin}/")).send_empty().unwrap();

    // Both are there with the tag's script in them; it has run, and left no trace.
    site.hears(&[
        "asked /next prefetch;prerender",
        "tracker undefined /next ahead not-activated 0",
        "asked /never prefetch;prerender",
        "tracker undefined /never ahead not-activated 0",
    ])
    .await;
    let before = passes(&stack, &origin, "/before");
    assert_eq!(counted(&stack).as_slice(), std::slice::from_ref(&before));

    site.go.notify_one();
    site.hears(&["come-to /next seen activated 0"]).await;
    let view = json!({ "name": "page_view", "path": "/next", "referrer": format!("{origin}/") });
    is_counted(&stack, &view);
    browser.stop().await;
    let after = passes(&stack, &origin, "/after");
    assert_eq!(counted(&stack), [after, before, view]);
    // What was come to is what was made ready, and not the same asked for again.
    let heard = site.all();
    assert_eq!(
        heard.iter().filter(|line| line.starts_with("asked /next ")).count(),
        1,
        "{heard:?}"
    );
    stack.stop().unwrap();
}
