//! Pages that hem scripts in, or hold more than one tag.

use example_shop::browser::Browser;
use footfall_tests::Stack;
use serde_json::json;

use super::site::{DEVICE, EARLY, Site, idle, ready, run, stored};

/// Whether WebAssembly runs the tracker.
const SEEN: &str = "<script>window.wasm = false; const began = WebAssembly.instantiate; \
    WebAssembly.instantiate = (...given) => began(...given).then((made) => (window.wasm = true, made));\
    </script>";

#[tokio::test(flavor = "multi_thread")]
async fn strict_pages_are_measured_with_webassembly_and_the_part_they_need() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let policies = [
        ("trusted", "content-security-policy: require-trusted-types-for 'script'\r\n".to_owned()),
        (
            "isolated",
            "cross-origin-embedder-policy: require-corp\r\ncross-origin-opener-policy: same-origin\r\n"
                .to_owned(),
        ),
        (
            "nonce",
            format!(
                "content-security-policy: script-src 'nonce-a1b2' 'strict-dynamic' 'wasm-unsafe-eval'; \
                 connect-src {}\r\n",
                stack.collector
            ),
        ),
    ];
    for (name, policy) in policies {
        let site = Site::bind();
        let tag = stack.site(name, &site.origin).unwrap();
        let head = [EARLY, SEEN, &tag].concat().replace("<script", "<script nonce=a1b2");
        let url = site.serve(policy, head);
        let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
        tab.come_to(&url, "").await.unwrap();
        ready(&tab).await;
        tab.wait_until("wasm").await.unwrap();
        assert!(tab.holds(&format!("crossOriginIsolated === {}", name == "isolated")).await);
        run(&tab, "footfall('identify', 'customer-7', { email: 'ada@shop.example' })").await;
        // The hashes come by a file of their own, behind the id.
        let hashed = "footfall.idle() && performance.getEntriesByType('resource')\
                      .some((entry) => /traits/.test(entry.name))";
        tab.wait_until(hashed).await.unwrap();
        stored(&stack, name, &["page_view", "early", "identify", "identify"]);
        assert_eq!(tab.evaluate("errors").await.unwrap(), json!([]), "{name}");
        tab.close().await.unwrap();
    }
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

/// It has no origin, so the collector does not take its events: anybody could send such.
#[tokio::test(flavor = "multi_thread")]
async fn a_sandboxed_frame_comes_to_no_harm_and_is_not_counted() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("sandbox", &site.origin).unwrap();
    let frame = "<script>if (location.pathname === '/') {
            addEventListener('message', (event) => window.inner = event.data);
            const frame = document.createElement('iframe');
            frame.sandbox = 'allow-scripts'; frame.src = '/inner';
            document.documentElement.append(frame);
        } else {
            const fetched = fetch;
            window.fetch = (...given) => fetched(...given).then((answer) => {
                parent.postMessage({ status: answer.status, origin, wasm, errors }, '*');
                return answer;
            });
        }</script>";
    let url = site.serve(String::new(), [EARLY, SEEN, &tag, frame].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    tab.wait_until("window.inner !== undefined").await.unwrap();
    idle(&tab).await;
    let told = tab.evaluate("inner").await.unwrap();
    assert_eq!(told, json!({ "status": 403, "origin": "null", "wasm": true, "errors": [] }));
    assert_eq!(tab.evaluate("errors").await.unwrap(), json!([]));
    stored(&stack, "sandbox", &["page_view", "early"]);
    tab.close().await.unwrap();
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sites_hear_the_page_each_once_though_a_tag_stands_there_twice() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let one = stack.site("one", &site.origin).unwrap();
    let other = stack.site("other", &site.origin).unwrap();
    // In this order, so that the second has the first behind it.
    let tags = [&one, &one, &other].map(|tag| tag.replace("<script async", "<script"));
    // Who holds on to the page's own function calls what was there before the tags.
    let held = "<script>window.held = footfall;</script>";
    let url = site.serve(String::new(), [EARLY, held, &tags.concat()].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    assert!(tab.holds("footfall.site === 'other'").await);
    run(&tab, "footfall('both'); held('held')").await;
    idle(&tab).await;
    assert_eq!(tab.evaluate("errors").await.unwrap(), json!([]));
    tab.come_to("about:blank", "").await.unwrap();
    for name in ["one", "other"] {
        stored(&stack, name, &["page_view", "early", "both", "held"]);
    }
    // Who does not want it does not want it of both.
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    run(&tab, "footfall('consent', { analytics: 'denied' })").await;
    let kept =
        "Object.keys(localStorage).sort().join() === 'footfall.one.consent,footfall.other.consent'";
    // What is on its way ends first.
    tab.wait_until(kept).await.unwrap();
    tab.close().await.unwrap();
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_page_says_before_two_sites_tags_holds_for_both() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tags = ["former", "latter"]
        .map(|name| stack.site(name, &site.origin).unwrap().replace("<script async", "<script"));
    let options = "<script>window.footfall = { beforeConsent: 'nothing' };</script>";
    let url = site.serve(String::new(), [options, &tags.concat()].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    run(&tab, "footfall('unseen')").await;
    assert_eq!(tab.evaluate("Object.keys(localStorage)").await.unwrap(), serde_json::json!([]));
    run(&tab, "footfall('consent', { analytics: 'granted' })").await;
    idle(&tab).await;
    for name in ["former", "latter"] {
        stored(&stack, name, &["page_view", "consent"]);
    }
    tab.close().await.unwrap();
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sites_tag_that_comes_later_hears_what_was_called_between() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("first", &site.origin).unwrap();
    stack.site("second", &site.origin).unwrap();
    let url = site.serve(String::new(), [EARLY, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    idle(&tab).await;
    let comes = format!(
        "footfall('consent', {{ analytics: 'denied' }}); const tag = document.createElement('script'); \
         tag.src = '{}/s/second.js'; document.head.append(tag)",
        stack.collector
    );
    run(&tab, &comes).await;
    tab.wait_until("footfall.site === 'second' && footfall.ready").await.unwrap();
    run(&tab, "footfall('unseen')").await;
    let kept = "Object.keys(localStorage).sort().join() === 'footfall.first.consent,footfall.second.consent'";
    tab.wait_until(kept).await.unwrap();
    assert_eq!(tab.evaluate("errors").await.unwrap(), json!([]));
    tab.come_to("about:blank", "").await.unwrap();
    tab.close().await.unwrap();
    stored(&stack, "first", &["page_view", "early"]);
    stored(&stack, "second", &[]);
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_in_the_address_is_told_in_the_console() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let heard = "<script>window.said = []; \
        console.log = (...what) => said.push(what.join(' '));</script>";
    let site = Site::bind();
    let tag = stack.site("asked", &site.origin).unwrap();
    let url = site.serve(String::new(), [EARLY, heard, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    let told = "said.some((text) => /^footfall: 202 [^]*page_view/.test(text))";
    for (way, is_told) in
        [("?footfall_debug", true), ("?a=1&footfall_debug=1", true), ("?nofootfall_debug", false)]
    {
        tab.come_to(&format!("{url}/{way}"), "").await.unwrap();
        ready(&tab).await;
        idle(&tab).await;
        if is_told {
            tab.wait_until(told).await.unwrap();
        }
        assert_eq!(tab.holds(told).await, is_told, "{way}: {:?}", tab.evaluate("said").await);
    }
    tab.close().await.unwrap();
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_takes_itself_away_hears_no_error_of_ours() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("gone", &site.origin).unwrap();
    let url = site.serve(String::new(), [EARLY, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    let gone = "document.documentElement.remove(); window.gone = true;
        for (const type of ['scroll', 'pagehide', 'keydown']) dispatchEvent(new Event(type))";
    run(&tab, gone).await;
    assert!(tab.holds("gone && errors.length === 0").await, "{:?}", tab.evaluate("errors").await);
    tab.close().await.unwrap();
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}
