//! What a visitor does, in whichever engine, and what is stored of it.

use std::time::Duration;

use anyhow::ensure;
use footfall_tests::{Stack, eventually};
use serde_json::{Value, json};

use super::engine::{Engine, Window};
use crate::tracker::site::{EARLY, Site, stored};

/// Before the tag: whether WebAssembly runs the tracker, and whether the browser lets the page have any.
const SEEN: &str = "<script>window.wasm = false; const began = WebAssembly.instantiate; \
    WebAssembly.instantiate = (...given) => began(...given).then((made) => (window.wasm = true, made)); \
    window.permitted = began(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])).then(() => true, () => false);\
    </script>";

/// A site with the tag and more in its head; its address.
fn site(stack: &Stack, name: &str, head: &str) -> String {
    guarded(stack, name, head, "")
}

fn guarded(stack: &Stack, name: &str, head: &str, policy: &str) -> String {
    eprintln!("the site {name}");
    let site = Site::bind();
    let tag = stack.site(name, &site.origin).unwrap();
    site.serve(policy.to_owned(), [EARLY, SEEN, head, &tag].concat())
}

/// Waits until just these rows are told of a site, in any order: some share a millisecond. How long pages
/// were looked at is left out.
fn told(stack: &Stack, site: &str, columns: &str, expected: &Value) {
    let mut expected = expected.as_array().unwrap().clone();
    expected.sort_by_key(Value::to_string);
    let question = format!(
        "SELECT {columns} FROM (
            SELECT * FROM footfall.events FINAL WHERE site = '{site}' UNION ALL
            SELECT * FROM footfall.bot_events FINAL WHERE site = '{site}'
        ) WHERE kind != 'engagement' FORMAT JSONCompactEachRow"
    );
    eventually(Duration::from_secs(60), || {
        let answer = ureq::post(&stack.clickhouse).send(&question)?.into_body().read_to_string()?;
        let mut rows: Vec<Value> =
            answer.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        rows.sort_by_key(Value::to_string);
        ensure!(rows == expected, "of {site} there is {rows:?}, not {expected:?}");
        Ok(())
    })
    .unwrap();
}

async fn is_well(window: &Window) {
    let errors = window.value("errors.join()").await.unwrap();
    assert_eq!(errors, "");
}

pub(super) async fn first_view(stack: &Stack, window: &Window, engine: Engine) {
    let url = site(stack, "view", "");
    window.come_to(&format!("{url}/shoes/running?utm_source=letter&secret=1")).await;
    window.ready().await;
    window.idle().await;
    window.wait_until("wasm").await;
    is_well(window).await;
    let browser = match engine {
        Engine::Chromium => "HeadlessChrome",
        Engine::Firefox => "Firefox",
        Engine::WebKit => "Safari",
    };
    let columns =
        "kind, name, path, query, title, source, screen_width > 0, browser, properties['price']";
    let (path, query) = ("/shoes/running", "utm_source=letter");
    let expected = json!([
        ["page_view", "page_view", path, query, "Page", "letter", 1, browser, ""],
        ["custom", "early", path, query, "Page", "letter", 1, browser, "9.5"],
    ]);
    told(stack, "view", columns, &expected);
}

pub(super) async fn history(stack: &Stack, window: &Window) {
    // As the engine has it, and as one has it that is older than the Navigation API.
    let older =
        "<script>Object.defineProperty(window, 'navigation', { value: undefined });</script>";
    for (name, head) in [("history", ""), ("history-older", older)] {
        let url = site(stack, name, head);
        window.come_to(&url).await;
        window.ready().await;
        window.idle().await;
        window.run("history.pushState({}, '', '/second')").await;
        window.idle().await;
        window.run("history.pushState({}, '', '/second')").await;
        window.run("history.replaceState({}, '', '/third')").await;
        window.idle().await;
        window.run("setTimeout(() => history.go(-2))").await;
        window.wait_until("location.pathname === '/'").await;
        window.idle().await;
        is_well(window).await;
        let expected = json!([
            ["page_view", "/", ""],
            ["early", "/", ""],
            ["page_view", "/second", format!("{url}/")],
            ["page_view", "/third", format!("{url}/second")],
            ["page_view", "/", format!("{url}/third")],
        ]);
        told(stack, name, "name, path, referrer", &expected);
    }
}

pub(super) async fn step(stack: &Stack, window: &Window) {
    let button =
        "<button id=buy data-footfall-step='checkout/payment' data-footfall-by=card>Buy</button>";
    let url = site(stack, "step", button);
    window.come_to(&url).await;
    window.ready().await;
    window.idle().await;
    window.run("footfall('step', 'checkout', 'shipping', { way: 'post', days: 2 })").await;
    window.idle().await;
    window.click("#buy").await;
    window.idle().await;
    is_well(window).await;
    let columns = "kind, funnel, step, properties['way'], properties['days'], properties['by']";
    let expected = json!([
        ["page_view", "", "", "", "", ""],
        ["custom", "", "", "", "", ""],
        ["step", "checkout", "shipping", "post", "2", ""],
        ["step", "checkout", "payment", "", "", "card"],
    ]);
    told(stack, "step", columns, &expected);
}

/// What no request carries any more leaves by a beacon: on this page no request ever ends.
pub(super) async fn leaving(stack: &Stack, window: &Window) {
    let stuck = "<script>if (location.pathname === '/') window.fetch = () => new Promise(() => {});</script>";
    let url = site(stack, "leaving", stuck);
    window.come_to(&url).await;
    window.ready().await;
    window.wait_until("'footfall.leaving.hold' in localStorage").await;
    window.run("footfall('last'); setTimeout(() => location = 'about:blank')").await;
    window.wait_until("location.href === 'about:blank'").await;
    stored(stack, "leaving", &["last"]);
    // The next page sends what the first one could not, and the beacon's events count once.
    window.come_to(&format!("{url}/next")).await;
    window.ready().await;
    window.idle().await;
    stored(stack, "leaving", &["page_view", "early", "last", "page_view", "early"]);
}

pub(super) async fn consent(stack: &Stack, window: &Window) {
    let url = site(stack, "consent", "");
    let only_the_answer = "Object.keys(localStorage).join() === 'footfall.consent.consent'";
    let deny = "footfall('consent', { analytics: 'denied', ads: 'denied' }); footfall('unseen')";
    window.come_to(&url).await;
    window.ready().await;
    window.idle().await;
    window.run(deny).await;
    assert!(window.holds(only_the_answer).await);
    // The decision is read before anything is sent.
    window.come_to(&format!("{url}/denied")).await;
    window.ready().await;
    window.run("footfall('unseen')").await;
    assert!(window.holds(only_the_answer).await);
    window.run("footfall('consent', { analytics: 'granted', ads: 'granted' })").await;
    window.idle().await;
    window.run("footfall('seen')").await;
    window.idle().await;
    window.run(deny).await;
    assert!(window.holds(only_the_answer).await);
    window.come_to(&format!("{url}/withdrawn")).await;
    window.ready().await;
    assert!(window.holds(only_the_answer).await);
    is_well(window).await;
    let columns = "name, path, toString(consent_analytics), toString(consent_ads)";
    let expected = json!([
        ["page_view", "/", "unknown", "unknown"],
        ["early", "/", "unknown", "unknown"],
        ["page_view", "/denied", "granted", "granted"],
        ["consent", "/denied", "granted", "granted"],
        ["seen", "/denied", "granted", "granted"],
        ["consent", "/denied", "denied", "denied"],
    ]);
    told(stack, "consent", columns, &expected);
}

pub(super) async fn without_webassembly(stack: &Stack, window: &Window, engine: Engine) {
    let collector = &stack.collector;
    let policy = format!(
        "content-security-policy: script-src 'unsafe-inline' {collector}; connect-src {collector}\r\n"
    );
    let url = guarded(stack, "refused", "", &policy);
    window.come_to(&url).await;
    window.ready().await;
    window.run("permitted.then((permitted) => window.permitted = permitted)").await;
    window.wait_until("typeof permitted === 'boolean'").await;
    assert!(window.holds("wasm === permitted").await);
    assert!(window.holds("permitted === false").await, "{engine:?}");
    window.run("footfall('called')").await;
    window.run("history.pushState({}, '', '/second')").await;
    window.idle().await;
    is_well(window).await;
    let mut expected = vec!["page_view", "early", "called", "page_view"];
    stored(stack, "refused", &expected);
    window.run("footfall('consent', { analytics: 'denied' }); footfall('unseen')").await;
    assert!(window.holds("Object.keys(localStorage).join() === 'footfall.refused.consent'").await);
    window.come_to(&url).await;
    window.ready().await;
    window.run("footfall('consent', { analytics: 'granted' })").await;
    is_well(window).await;
    expected.extend(["page_view", "consent"]);
    stored(stack, "refused", &expected);
}

pub(super) async fn nothing_kept(stack: &Stack, window: &Window) {
    let url = site(stack, "nothing", "");
    window.come_to(&url).await;
    window.ready().await;
    let refused = "(() => { try { localStorage.setItem('a', 'b'); return localStorage.a !== 'b'; } \
                   catch { return true; } })()";
    assert!(window.holds(refused).await, "something can be kept");
    window.wait_until("wasm").await;
    window.idle().await;
    window.run("footfall('called')").await;
    window.run("history.pushState({}, '', '/second')").await;
    window.idle().await;
    window.run("footfall('last'); setTimeout(() => location = '/third')").await;
    window.wait_until("location.pathname === '/third'").await;
    window.ready().await;
    window.idle().await;
    is_well(window).await;
    // A visitor is known as long as a page is open.
    let columns = "name, path, toUInt8(uniqExact(visitor_id) OVER (PARTITION BY path = '/third')), \
                   toUInt8(uniqExact(visitor_id) OVER ())";
    let expected = json!([
        ["page_view", "/", 1, 2],
        ["early", "/", 1, 2],
        ["called", "/", 1, 2],
        ["page_view", "/second", 1, 2],
        ["last", "/second", 1, 2],
        ["page_view", "/third", 1, 2],
        ["early", "/third", 1, 2],
    ]);
    told(stack, "nothing", columns, &expected);
}

pub(super) async fn privacy_control(stack: &Stack, window: &Window, engine: Engine) {
    // Who has no such setting has it from an extension, which does this.
    let extension = "<script>Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', \
                     { get: () => true });</script>";
    let head = if engine == Engine::Firefox { "" } else { extension };
    let url = site(stack, "control", head);
    window.come_to(&url).await;
    window.ready().await;
    window.idle().await;
    assert!(window.holds("navigator.globalPrivacyControl === true").await);
    window.run("footfall('consent', { ads: 'granted' })").await;
    window.idle().await;
    is_well(window).await;
    let columns = "name, toString(consent_analytics), toString(consent_personalization), toString(consent_ads)";
    let expected = json!([
        ["page_view", "unknown", "unknown", "denied"],
        ["early", "unknown", "unknown", "denied"],
        ["consent", "unknown", "unknown", "granted"],
    ]);
    told(stack, "control", columns, &expected);
}
