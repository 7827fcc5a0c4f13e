//! A small web site with the tag in it, and what is stored of who comes to it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{bail, ensure};
use example_shop::browser::Tab;
use example_shop::visitor::Device;
use footfall_tests::{Stack, eventually};

pub(super) const DEVICE: Device = Device {
    user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    width: 1280,
    height: 800,
    mobile: false,
};
/// Before the tag: a call that comes too early, and a list of what went wrong in the page.
pub(crate) const EARLY: &str = "<script>window.errors = []; \
    addEventListener('error', (event) => errors.push(event.message)); \
    addEventListener('unhandledrejection', (event) => errors.push(String(event.reason))); \
    window.footfall = function () { (footfall.q = footfall.q || []).push(arguments); }; \
    footfall('early', { price: 9.5 });</script>";

/// A web server with one page, under every address.
pub(crate) struct Site {
    listener: TcpListener,
    pub(crate) origin: String,
}

impl Site {
    pub(crate) fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        Self { listener, origin }
    }

    /// Answers every request with this head and page, as long as the test lasts.
    pub(crate) fn serve(self, policy: String, head: String) -> String {
        let page = format!("<!doctype html><title>Page</title>{head}<h1>Page</h1>");
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n{policy}content-length: {}\r\n\
             connection: close\r\n\r\n{page}",
            page.len()
        );
        let answer: Arc<str> = answer.into();
        std::thread::spawn(move || {
            for connection in self.listener.incoming().flatten() {
                let answer = Arc::clone(&answer);
                // Each in its own time: a browser opens connections for later, too, and one that closes
                // them is no mistake.
                std::thread::spawn(move || drop(answered(connection, &answer)));
            }
        });
        self.origin
    }
}

fn answered(mut connection: TcpStream, answer: &str) -> std::io::Result<()> {
    let request = BufReader::new(connection.try_clone()?).lines();
    for line in request {
        if line?.is_empty() {
            return connection.write_all(answer.as_bytes());
        }
    }
    Ok(())
}

/// Waits until just these events of a site are stored, in any order: some share a millisecond.
pub(crate) fn stored(stack: &Stack, site: &str, expected: &[&str]) {
    // What the browser sends for a page that is gone has its own user agent, a headless one: a bot's. The
    // same event sent once more by the next page is a visitor's, and still one event. How long a page was
    // looked at is told by another test.
    let question = "SELECT any(name) AS name FROM (
            SELECT event_id, name, kind FROM footfall.events FINAL WHERE site = {site:String} UNION ALL
            SELECT event_id, name, kind FROM footfall.bot_events FINAL WHERE site = {site:String}
        ) WHERE kind != 'engagement' GROUP BY event_id ORDER BY name FORMAT TSV";
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    eventually(Duration::from_secs(60), || {
        let answer = ureq::post(&stack.clickhouse).query("param_site", site).send(question)?;
        let answer = answer.into_body().read_to_string()?;
        let names: Vec<&str> = answer.lines().collect();
        ensure!(names == expected, "of {site} there are {names:?}, not {expected:?}");
        Ok(())
    })
    .unwrap();
}

/// An expression over all that is stored of a site, bots' and engagement too, must give 1.
///
/// # Errors
/// What there is, where it does not.
pub(super) fn is_stored(stack: &Stack, site: &str, expression: &str) -> anyhow::Result<()> {
    let all = format!(
        "(SELECT * FROM footfall.events FINAL WHERE site = '{site}' UNION ALL
        SELECT * FROM footfall.bot_events FINAL WHERE site = '{site}')"
    );
    let answer = stack.rows(&format!("SELECT toUInt8({expression}) AS is_so FROM {all}"))?;
    if answer.iter().any(|row| row["is_so"] != 1) {
        let rows = stack.rows(&format!("SELECT * FROM {all} ORDER BY occurred_at"))?;
        bail!("it does not hold that {expression}: {}", serde_json::to_string_pretty(&rows)?);
    }
    Ok(())
}

/// Waits until a page has stood for so long.
pub(super) async fn stands(tab: &Tab, millis: u32) {
    run(tab, "window.stood = performance.now()").await;
    tab.wait_until(&format!("performance.now() - stood > {millis}")).await.unwrap();
}

pub(super) async fn ready(tab: &Tab) {
    tab.wait_until("document.readyState === 'complete' && footfall.ready").await.unwrap();
}

pub(super) async fn idle(tab: &Tab) {
    tab.wait_until("footfall.idle()").await.unwrap();
}

pub(super) async fn run(tab: &Tab, script: &str) {
    tab.evaluate(&format!("(() => {{ {script}; return true; }})()")).await.unwrap();
}
