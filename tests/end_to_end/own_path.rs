//! A tracker under names of the site's own, and a person whose traits never leave the page as they are.

use axum::Router;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use example_shop::browser::Browser;
use example_shop::visitor::Device;
use footfall_tests::{Stack, eventually};
use serde_json::json;
use tokio::net::TcpListener;

pub(crate) const DEVICE: Device = Device {
    user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    width: 1280,
    height: 800,
    mobile: false,
};

/// Before the tag: what leaves the page, and a person who is known before the tracker is.
const EAR: &str = "<script nonce=abc>window.sent = [];
    const ask = window.fetch, { sendBeacon } = navigator;
    window.fetch = (url, given) => (sent.push([String(url), given && given.body]), ask(url, given));
    navigator.sendBeacon = (url, body) => (sent.push([String(url), body]), sendBeacon.call(navigator, url, body));
    window.footfall = function () { (footfall.q = footfall.q || []).push(arguments); };
    footfall('identify', 'customer-7', {
        email: ' Ada.L+shop@Gmail.com', Phone: '091 234 5678', firstName: 'Ada', zip: '10000', plan: 'gold'
    });</script>";

/// Of that person's traits, as written and as normalised. An id or a hash may well have `ada` or `091` in it.
const RAW: [&str; 6] = ["Ada", r#"\"ada\""#, "ada.l", "gmail", "091 234", "912345678"];

/// A page that runs no script without its nonce, and makes no address of one from a text.
fn page(head: &str, tag: &str, collector: &str) -> impl IntoResponse + use<> {
    let policy = format!(
        "script-src 'nonce-abc' 'wasm-unsafe-eval'; connect-src {collector}; \
         require-trusted-types-for 'script'; trusted-types 'none'"
    );
    let tag = tag.replace("<script", "<script nonce=abc");
    let page = format!("<!doctype html><title>Own</title>{head}{EAR}{tag}<h1>Own</h1>");
    ([("content-security-policy", policy)], Html(page))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_paths_are_enough_and_a_persons_traits_leave_as_hashes() {
    let stack = Stack::up(&[]).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let add = ["site", "add", "own", "--origin", &origin, "--collector-url", &stack.collector];
    let paths = ["--script-path", "/assets/app.js", "--events-path", "/assets/t"];
    let added = stack.footfall(&[&add[..], &paths, &["--phone-code", "385"]].concat()).unwrap();
    let script = format!("{}/assets/app.js", stack.collector);
    assert_eq!(added.trim(), format!(r#"<script async src="{script}"></script>"#));
    let wait = std::time::Duration::from_secs(60);
    eventually(wait, || Ok(ureq::get(&script).call()?)).unwrap();
    let (tag, collector) = (added.trim().to_owned(), stack.collector.clone());
    let pages = Router::new().route("/", get(move || async move { page("", &tag, &collector) }));
    tokio::spawn(async move { axum::serve(listener, pages).await });

    let browser = Browser::start().await.unwrap();
    let tab = browser.visitor(&DEVICE, "hr-HR", None).await.unwrap();
    tab.come_to(&origin, "").await.unwrap();
    let hashed = "sent.some(([, body]) => String(body).includes('email_google_sha256'))";
    tab.wait_until(&format!("window.footfall.ready && footfall.idle() && {hashed}")).await.unwrap();
    let sent = tab.evaluate("JSON.stringify(window.sent)").await.unwrap();
    let sent = sent.as_str().unwrap();
    for raw in RAW {
        assert!(!sent.contains(raw), "{raw} left the page: {sent}");
    }
    let fetched = "performance.getEntriesByType('resource')\
        .map(({ name }) => new URL(name)).filter(({ port }) => port !== location.port)\
        .map(({ pathname }) => pathname).filter((path, at, all) => all.indexOf(path) === at).sort()";
    let fetched = tab.evaluate(fetched).await.unwrap();
    assert_eq!(fetched, json!(["/assets/app.js"]));
    let told = tab.evaluate("Array.from(new Set(sent.map(([url]) => url)))").await.unwrap();
    assert_eq!(told, json!([format!("{}/assets/t", stack.collector)]));

    let question = "SELECT kind, value = lower(hex(SHA256(
            multiIf(kind = 'email_google', 'adal@gmail.com', kind = 'email_meta', 'ada.l+shop@gmail.com',
                kind = 'phone', '+385912345678', kind = 'phone_meta', '385912345678',
                kind = 'first_name', 'ada', value)))) AS is_hash
        FROM footfall.identifiers FINAL WHERE site = 'own' ORDER BY kind";
    let mut found = Vec::new();
    eventually(wait, || {
        found = stack.rows(question).unwrap();
        anyhow::ensure!(found.len() == 6, "{found:?}");
        Ok(())
    })
    .unwrap();
    let of = |kind: &str, hash: u8| json!({"kind": kind, "is_hash": hash});
    let expected = [
        of("email_google", 1),
        of("email_meta", 1),
        of("first_name", 1),
        of("phone", 1),
        of("phone_meta", 1),
        of("zip", 0),
    ];
    assert_eq!(found, expected);
    tab.close().await.unwrap();
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_can_be_hashed_the_id_is_told_and_the_person_is_not() {
    // As on a plain http page, which has no `crypto.subtle`.
    const PLAIN: &str = "<script nonce=abc>\
        Object.defineProperty(crypto, 'subtle', { value: undefined }); window.said = [];\
        console.log = (...what) => said.push(what.join(' '));</script>";
    let stack = Stack::up(&[]).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let tag = stack.site("plain", &origin).unwrap().replace("<script", "<script data-debug");
    let collector = stack.collector.clone();
    let pages = Router::new().route("/", get(move || async move { page(PLAIN, &tag, &collector) }));
    tokio::spawn(async move { axum::serve(listener, pages).await });

    let browser = Browser::start().await.unwrap();
    let tab = browser.visitor(&DEVICE, "hr-HR", None).await.unwrap();
    tab.come_to(&origin, "").await.unwrap();
    let refused = "said.some((line) => line.startsWith('footfall: without traits'))";
    tab.wait_until(&format!("window.footfall.ready && footfall.idle() && {refused}"))
        .await
        .unwrap();
    let sent = tab.evaluate("JSON.stringify(window.sent)").await.unwrap();
    let sent = sent.as_str().unwrap();
    assert!(sent.contains("customer-7") && sent.contains("10000"), "{sent}");
    for raw in RAW.into_iter().chain(["sha256"]) {
        assert!(!sent.contains(raw), "{raw} left the page: {sent}");
    }
    stack.arrived("plain", 2).unwrap();
    tab.close().await.unwrap();
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}
