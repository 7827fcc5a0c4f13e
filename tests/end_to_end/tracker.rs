//! The tracker on pages that make it hard: without WebAssembly, left at once, or broken by the page.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use anyhow::ensure;
use example_shop::browser::{Browser, Tab};
use example_shop::visitor::Device;
use footfall_tests::{Stack, eventually};

const DEVICE: Device = Device {
    user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    width: 1280,
    height: 800,
    mobile: false,
};
/// Before the tag: a call that comes too early, and a list of what went wrong in the page.
const EARLY: &str = "<script>window.errors = []; \
    addEventListener('error', (event) => errors.push(event.message)); \
    addEventListener('unhandledrejection', (event) => errors.push(String(event.reason))); \
    window.footfall = function () { (footfall.q = footfall.q || []).push(arguments); }; \
    footfall('early', { price: 9.5 });</script>";

/// A web server with one page, under every address.
struct Site {
    listener: TcpListener,
    origin: String,
}

impl Site {
    fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        Self { listener, origin }
    }

    /// Answers every request with this head and page, as long as the test lasts.
    fn serve(self, policy: String, head: String) -> String {
        let page = format!("<!doctype html><title>Page</title>{head}<h1>Page</h1>");
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n{policy}content-length: {}\r\n\
             connection: close\r\n\r\n{page}",
            page.len()
        );
        std::thread::spawn(move || {
            for connection in self.listener.incoming().flatten() {
                // A browser that opens a connection for later and closes it is no mistake.
                drop(answered(connection, &answer));
            }
        });
        self.origin
    }
}

fn answered(mut connection: TcpStream, answer: &str) -> std::io::Result<()> {
    connection.set_read_timeout(Some(Duration::from_secs(1)))?;
    let request = BufReader::new(connection.try_clone()?).lines();
    for line in request {
        if line?.is_empty() {
            return connection.write_all(answer.as_bytes());
        }
    }
    Ok(())
}

/// Waits until just these events of a site are stored, in any order: some share a millisecond.
fn stored(stack: &Stack, site: &str, expected: &[&str]) {
    // What the browser sends for a page that is gone has its own user agent, a headless one.
    let question = "SELECT name FROM (
            SELECT name FROM footfall.events FINAL WHERE site = {site:String} UNION ALL
            SELECT name FROM footfall.bot_events FINAL WHERE site = {site:String}
        ) ORDER BY name FORMAT TSV";
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

async fn ready(tab: &Tab) {
    tab.wait_until("document.readyState === 'complete' && footfall.ready").await.unwrap();
}

async fn idle(tab: &Tab) {
    tab.wait_until("footfall.idle()").await.unwrap();
}

async fn run(tab: &Tab, script: &str) {
    tab.evaluate(&format!("(() => {{ {script}; return true; }})()")).await.unwrap();
}

/// Views, calls before and after the tracker came, consent denied, a page without it, consent given.
async fn visits(tab: &Tab, url: &str, site: &str) {
    tab.come_to(url, "").await.unwrap();
    ready(tab).await;
    idle(tab).await;
    run(tab, "footfall('consent', { analytics: 'denied' }); footfall('unseen')").await;
    let kept = format!("Object.keys(localStorage).join() === 'footfall.{site}.consent'");
    tab.wait_until(&kept).await.unwrap();
    // The decision is read before anything is sent.
    tab.come_to(url, "").await.unwrap();
    ready(tab).await;
    run(tab, "footfall('unseen')").await;
    assert!(tab.holds(&kept).await);
    run(tab, "footfall('consent', { analytics: 'granted' })").await;
    run(tab, "footfall('seen')").await;
    idle(tab).await;
    assert!(tab.holds("errors.length === 0").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_measured_whole_streaming_and_without_webassembly() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let policy = |wasm| {
        let collector = &stack.collector;
        format!(
            "content-security-policy: script-src 'unsafe-inline' {wasm} {collector}; \
             connect-src {collector}\r\n"
        )
    };
    let cases = [
        ("whole", policy("'wasm-unsafe-eval'"), "true"),
        ("streaming", policy("'wasm-unsafe-eval'"), "true"),
        ("refused", policy(""), "false"),
    ];
    for (name, policy, wasm) in cases {
        let site = Site::bind();
        let tag = stack.site(name, &site.origin).unwrap();
        let tag = if name == "streaming" { tag.replace(".js", ".stream.js") } else { tag };
        // Whether it is the tracker or the fallback that is at work.
        let seen = "<script>window.wasm = false; const began = WebAssembly.instantiate; \
            WebAssembly.instantiate = (...given) => began(...given)\
            .then((made) => (window.wasm = true, made));</script>";
        let url = site.serve(policy, format!("{EARLY}{seen}{tag}"));
        let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
        visits(&tab, &url, name).await;
        assert!(tab.holds(&format!("window.wasm === {wasm}")).await, "{name}");
        tab.close().await.unwrap();
        let events = ["page_view", "early", "page_view", "consent", "seen"];
        stored(&stack, name, &events);
    }
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_before_the_tracker_is_there_is_counted_and_who_refused_is_not() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("leaving", &site.origin).unwrap();
    let never = "<script>WebAssembly.instantiate = () => new Promise(() => {});</script>";
    let url = site.serve(String::new(), format!("{EARLY}{never}{tag}"));
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    tab.wait_until("typeof footfall.idle === 'function'").await.unwrap();
    tab.come_to("about:blank", "").await.unwrap();
    stored(&stack, "leaving", &["page_view", "early"]);

    // The denial waits with the other calls, but counts before anything is sent.
    tab.come_to(&url, "").await.unwrap();
    tab.wait_until("typeof footfall.idle === 'function'").await.unwrap();
    run(&tab, "footfall('consent', { analytics: 'denied' })").await;
    tab.come_to("about:blank", "").await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    tab.wait_until("typeof footfall.idle === 'function'").await.unwrap();
    run(&tab, "footfall('consent', { analytics: 'granted' })").await;
    tab.come_to("about:blank", "").await.unwrap();
    let events = ["page_view", "early", "page_view", "early", "consent"];
    stored(&stack, "leaving", &events);
    tab.close().await.unwrap();
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_throws_into_the_tracker_ends_it_and_hears_nothing() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("throwing", &site.origin).unwrap();
    let throwing = "<script>Object.defineProperty(document, 'title', { get() { \
        if (window.hostile) throw new Error('hostile'); return 'Page'; } });</script>";
    let url = site.serve(String::new(), format!("{EARLY}{throwing}{tag}"));
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    idle(&tab).await;
    run(&tab, "window.hostile = true; footfall('first'); history.pushState({}, '', '/next')").await;
    assert!(tab.holds("footfall.ready === false && location.pathname === '/next'").await);
    run(&tab, "window.hostile = false; footfall('second'); footfall('consent', {})").await;
    assert!(tab.holds("errors.length === 0").await);
    tab.come_to("about:blank", "").await.unwrap();
    tab.close().await.unwrap();
    stored(&stack, "throwing", &["page_view", "early"]);
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_denies_everything_takes_ads_consent_back_with_a_last_event() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let collector = &stack.collector;
    let without_wasm = format!(
        "content-security-policy: script-src 'unsafe-inline' {collector}; connect-src {collector}\r\n"
    );
    for (name, policy) in [("back", String::new()), ("back-refused", without_wasm)] {
        let site = Site::bind();
        let tag = stack.site(name, &site.origin).unwrap();
        let url = site.serve(policy, [EARLY, &tag].concat());
        let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
        tab.come_to(&url, "").await.unwrap();
        ready(&tab).await;
        run(&tab, "footfall('consent', { ads: 'granted' })").await;
        idle(&tab).await;
        run(
            &tab,
            "footfall('consent', { analytics: 'denied', ads: 'denied' }); footfall('unseen')",
        )
        .await;
        let kept = format!("Object.keys(localStorage).join() === 'footfall.{name}.consent'");
        tab.wait_until(&kept).await.unwrap();
        // Denied once more there is nothing to take back.
        run(&tab, "footfall('consent', { personalization: 'denied' })").await;
        tab.come_to("about:blank", "").await.unwrap();
        tab.close().await.unwrap();
        stored(&stack, name, &["page_view", "early", "consent", "consent"]);
        let question = "SELECT arraySort(groupArray((consent_analytics, consent_ads)::Tuple(String, String))),
                uniqExact(visitor_id)
            FROM (SELECT site, name, visitor_id, consent_analytics, consent_ads FROM footfall.events FINAL UNION ALL SELECT site, name, visitor_id, consent_analytics, consent_ads FROM footfall.bot_events FINAL)
            WHERE site = {site:String} AND name = 'consent' FORMAT TSV";
        let answer =
            ureq::post(&stack.clickhouse).query("param_site", name).send(question).unwrap();
        let answer = answer.into_body().read_to_string().unwrap();
        assert_eq!(answer.trim(), "[('denied','denied'),('unknown','granted')]\t1", "{name}");
    }
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_browser_signals_counts_until_the_visitor_answers() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let signal = |name, value| {
        format!(
            "<script>Object.defineProperty(Navigator.prototype, '{name}', \
             {{ get: () => {value} }});</script>"
        )
    };
    // Options before the tag: the same collector under its other name.
    let elsewhere = stack.collector.replace("127.0.0.1", "localhost");
    let options = format!(
        "<script>window.footfall = {{ collector: '{elsewhere}' }}; window.asked = []; \
         const fetched = fetch; window.fetch = (url, request) => (asked.push(url), fetched(url, request));\
         </script>"
    );
    let site = Site::bind();
    let tag = stack.site("control", &site.origin).unwrap();
    let head = [signal("globalPrivacyControl", "true"), options, tag].concat();
    let url = site.serve(String::new(), head);
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    idle(&tab).await;
    assert!(
        tab.holds(&format!(
            "asked.length > 0 && asked.every((url) => url === '{elsewhere}/v1/events')"
        ))
        .await
    );
    run(&tab, "footfall('consent', { ads: 'granted' })").await;
    idle(&tab).await;
    stored(&stack, "control", &["page_view", "consent"]);
    let question = "SELECT groupArray(toString(consent_ads)) FROM (SELECT * FROM footfall.events \
                    FINAL WHERE site = 'control' ORDER BY name DESC)";
    let answer = ureq::post(&stack.clickhouse).send(question).unwrap();
    let answer = answer.into_body().read_to_string().unwrap();
    assert_eq!(answer.trim(), "['denied','granted']");

    let site = Site::bind();
    let tag = stack.site("track", &site.origin).unwrap();
    let url = site.serve(String::new(), [EARLY, &signal("doNotTrack", "'1'"), &tag].concat());
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    run(&tab, "footfall('unseen')").await;
    assert!(tab.holds("Object.keys(localStorage).length === 0").await);
    run(&tab, "footfall('consent', { analytics: 'granted' })").await;
    idle(&tab).await;
    stored(&stack, "track", &["page_view", "consent"]);
    tab.close().await.unwrap();
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_viewed_when_it_is_shown_made_ready_ahead_or_seen_again() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("shown", &site.origin).unwrap();
    // The driver cannot follow into a page that Chromium itself prerenders, so the page plays one.
    let ahead = "<script>addEventListener('pageshow', (event) => window.persisted = event.persisted); \
        window.ahead = location.pathname === '/'; \
        Object.defineProperty(document, 'prerendering', { get: () => ahead });</script>";
    let url = site.serve(String::new(), [EARLY, ahead, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    tab.wait_until("document.readyState === 'complete'").await.unwrap();
    assert!(tab.holds("footfall.ready === undefined && localStorage.length === 0").await);
    run(&tab, "ahead = false; document.dispatchEvent(new Event('prerenderingchange'))").await;
    ready(&tab).await;
    idle(&tab).await;
    stored(&stack, "shown", &["page_view", "early"]);
    tab.come_to(&format!("{url}/next"), "").await.unwrap();
    ready(&tab).await;
    idle(&tab).await;
    run(&tab, "setTimeout(() => history.back())").await;
    tab.wait_until("location.pathname === '/' && window.persisted === true").await.unwrap();
    idle(&tab).await;
    stored(&stack, "shown", &["page_view", "early", "page_view", "early", "page_view"]);
    assert!(tab.holds("errors.length === 0").await);
    tab.close().await.unwrap();
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}
