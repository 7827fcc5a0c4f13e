//! That events get through: a collector that is full, tabs beside each other, a network that goes away.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::ensure;
use axum::http::StatusCode;
use example_shop::browser::Browser;
use footfall_tests::{Stack, eventually};
use serde_json::json;

use super::gate::Gate;
use super::site::{DEVICE, EARLY, Site, idle, is_stored, ready, run, stands, stored};

/// The tag, with its events sent through the gate.
fn through(gate: &Gate, tag: &str) -> String {
    tag.replace("<script ", &format!("<script data-collector={} ", gate.url))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_collector_is_left_alone_as_long_as_it_asks_and_then_gets_everything_once() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let gate = Gate::before(&stack.collector).await;
    let site = Site::bind();
    let tag = through(&gate, &stack.site("full", &site.origin).unwrap());
    let url = site.serve(String::new(), [EARLY, &tag].concat());
    gate.shut(Some((StatusCode::SERVICE_UNAVAILABLE, 8)));
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    tab.wait_until("localStorage['footfall.full.hold'] > Date.now() + 1000").await.unwrap();
    // Neither another page nor a hidden one asks again before its time.
    tab.come_to(&format!("{url}/second"), "").await.unwrap();
    ready(&tab).await;
    let batches = gate.batches();
    assert!(matches!(&batches[..], [(_, false)]), "{batches:?}");
    gate.shut(None);
    idle(&tab).await;
    assert!(tab.holds("Date.now() >= (localStorage['footfall.full.hold'] || 0)").await);
    let sent: Vec<_> = gate.batches().into_iter().filter(|(_, passed)| *passed).collect();
    let mut times = BTreeMap::<String, u32>::new();
    sent.into_iter().flat_map(|(ids, _)| ids).for_each(|id| *times.entry(id).or_default() += 1);
    assert!(times.len() >= 4 && times.values().all(|times| *times == 1), "{times:?}");
    tab.close().await.unwrap();
    stored(&stack, "full", &["page_view", "early", "page_view", "early"]);
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn tabs_beside_each_other_send_each_event_once() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let gate = Gate::before(&stack.collector).await;
    let site = Site::bind();
    let tag = through(&gate, &stack.site("tabs", &site.origin).unwrap());
    // Other pages of the site in the page: to the storage they are other tabs.
    let others = "<script>if (location.pathname === '/') for (const name of ['b', 'c', 'd']) {
        const frame = document.createElement('iframe'); frame.src = '/' + name; frame.id = name;
        document.documentElement.append(frame); }</script>";
    let url = site.serve(String::new(), [EARLY, &tag, others].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    let all = "[window, ...frames]";
    tab.wait_until("[...document.querySelectorAll('iframe')].every((frame) => frame.contentWindow.footfall?.ready)")
        .await
        .unwrap();
    for round in 0..10 {
        run(
            &tab,
            &format!("{all}.forEach((page) => page.footfall('round', {{ round: {round} }}))")
                .replace("...frames", "...Array.from(frames)"),
        )
        .await;
    }
    tab.wait_until("[window, ...Array.from(frames)].every((page) => page.footfall.idle())")
        .await
        .unwrap();
    let batches = gate.batches();
    let mut times = BTreeMap::<&String, u32>::new();
    batches.iter().flat_map(|(ids, _)| ids).for_each(|id| *times.entry(id).or_default() += 1);
    let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty() && times.len() >= 48, "{} events, twice: {twice:?}", times.len());
    tab.close().await.unwrap();
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tabs_of_a_browser_are_one_visit_and_send_each_event_once() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let gate = Gate::before(&stack.collector).await;
    let site = Site::bind();
    let tag = through(&gate, &stack.site("beside", &site.origin).unwrap());
    let url = site.serve(String::new(), [EARLY, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    idle(&tab).await;
    // A tab that is turned away from tells how long it was looked at in a little while, and no two tell at once.
    let first = tab.open_another(&DEVICE, "en").await.unwrap();
    stands(&tab, 2500).await;
    tab.come_to(&format!("{url}/second"), "").await.unwrap();
    ready(&tab).await;
    run(&tab, "footfall('in_the_second')").await;
    idle(&tab).await;
    let second = tab.turn_to(first).await.unwrap();
    tab.wait_until("!document.hidden").await.unwrap();
    stands(&tab, 2500).await;
    idle(&tab).await;
    run(&tab, "footfall('in_the_first')").await;
    idle(&tab).await;
    tab.turn_to(second).await.unwrap();
    tab.close().await.unwrap();
    let all = ["page_view", "early", "page_view", "early", "in_the_second", "in_the_first"];
    stored(&stack, "beside", &all);
    is_stored(&stack, "beside", "(uniqExact(visitor_id), uniqExact(session_id)) = (1, 1)").unwrap();
    // How long a page was looked at goes with the browser when it is left, and again with what is answered.
    let seen =
        "SELECT DISTINCT toString(event_id) AS id FROM footfall.events WHERE kind != 'engagement'";
    let sent: Vec<_> = gate.batches().into_iter().flat_map(|(ids, _)| ids).collect();
    for id in stack.rows(seen).unwrap() {
        let times = sent.iter().filter(|sent| id["id"] == **sent).count();
        assert_eq!(times, 1, "{id} of {sent:?}");
    }
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_offline_is_told_of_when_the_network_is_back() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("offline", &site.origin).unwrap();
    let counted = "<script>window.tried = 0; const fetched = fetch; \
        window.fetch = (...given) => (tried++, fetched(...given));</script>";
    let url = site.serve(String::new(), [EARLY, counted, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    idle(&tab).await;
    let offline = |offline: bool| json!({ "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
    tab.devtools("Network.enable", json!({})).await.unwrap();
    tab.devtools("Network.emulateNetworkConditions", offline(true)).await.unwrap();
    run(&tab, "footfall('meanwhile')").await;
    // It was tried, and is kept.
    tab.wait_until("tried > 1").await.unwrap();
    assert!(tab.holds("localStorage['footfall.offline.queue'].includes('meanwhile')").await);
    tab.devtools("Network.emulateNetworkConditions", offline(false)).await.unwrap();
    idle(&tab).await;
    assert!(tab.holds("errors.length === 0").await);
    tab.close().await.unwrap();
    stored(&stack, "offline", &["page_view", "early", "meanwhile"]);
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

/// Who leaves so soon is counted if the script has run: before that, nobody can.
#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_soon_after_the_script_ran_is_counted() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("soon", &site.origin).unwrap();
    let url = site.serve(String::new(), [EARLY, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    let mut expected = Vec::new();
    for millis in [0, 50, 150, 300] {
        tab.come_to(&format!("{url}/{millis}"), "").await.unwrap();
        tab.wait_until("typeof footfall.idle === 'function'").await.unwrap();
        run(&tab, &format!("setTimeout(() => location = 'about:blank', {millis})")).await;
        tab.wait_until("location.href === 'about:blank'").await.unwrap();
        expected.extend(["page_view", "early"]);
    }
    tab.close().await.unwrap();
    stored(&stack, "soon", &expected);
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_collector_did_not_take_outlives_a_page_that_webassembly_never_reached() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let gate = Gate::before(&stack.collector).await;
    let site = Site::bind();
    let tag = through(&gate, &stack.site("kept", &site.origin).unwrap());
    let never = "<script>if (location.pathname === '/left') WebAssembly.instantiate = () => new Promise(() => {});</script>";
    let url = site.serve(String::new(), [EARLY, never, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    gate.shut(Some((StatusCode::SERVICE_UNAVAILABLE, 0)));
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    run(&tab, "footfall('order_completed', { order_id: '1001' })").await;
    tab.wait_until("localStorage['footfall.kept.queue'].includes('order_completed')")
        .await
        .unwrap();
    tab.come_to(&format!("{url}/left"), "").await.unwrap();
    tab.wait_until("typeof footfall.idle === 'function'").await.unwrap();
    tab.come_to("about:blank", "").await.unwrap();
    gate.shut(None);
    tab.come_to(&format!("{url}/back"), "").await.unwrap();
    ready(&tab).await;
    idle(&tab).await;
    assert!(tab.holds("errors.length === 0").await);
    tab.close().await.unwrap();
    let page = ["page_view", "early"];
    stored(&stack, "kept", &[&page[..], &page, &page, &["order_completed"]].concat());
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_many_products_arrives_and_what_fits_no_request_keeps_nothing_back() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let collector = &stack.collector;
    let without_wasm = format!(
        "content-security-policy: script-src 'unsafe-inline' {collector}; connect-src {collector}\r\n"
    );
    for (name, policy) in [("large", String::new()), ("large-refused", without_wasm)] {
        let site = Site::bind();
        let tag = stack.site(name, &site.origin).unwrap();
        let url = site.serve(policy, [EARLY, &tag].concat());
        let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
        tab.come_to(&url, "").await.unwrap();
        ready(&tab).await;
        // A text of these takes two bytes a letter.
        let calls = "const products = (count) => Array.from({ length: count }, (_, number) =>
                ({ product_id: `mug-${number}`, name: '\u{10d}'.repeat(150) }));
            footfall('order_completed', { order_id: '1001', products: products(60) });
            footfall('enormous', { products: products(200) }); footfall('small')";
        run(&tab, calls).await;
        idle(&tab).await;
        assert!(tab.holds("errors.length === 0").await);
        tab.close().await.unwrap();
        stored(&stack, name, &["page_view", "early", "order_completed", "small"]);
    }
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

/// A site, or one of its origins, that is still to be made known is no reason to lose who came meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_before_the_site_was_known_is_told_when_it_is() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let gate = Gate::before(&stack.collector).await;
    let site = Site::bind();
    let tag = through(&gate, &stack.site("unknown", &site.origin).unwrap());
    let url = site.serve(String::new(), [EARLY, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    for (way, status) in [("a", StatusCode::FORBIDDEN), ("b", StatusCode::NOT_FOUND)] {
        gate.shut(Some((status, 0)));
        tab.come_to(&format!("{url}/{way}"), "").await.unwrap();
        ready(&tab).await;
        // It was sent, answered, and sent again.
        let mut times = 0;
        eventually(Duration::from_secs(60), || {
            times += gate.batches().len();
            ensure!(times > 1, "with {status} it was sent {times} times");
            Ok(())
        })
        .unwrap();
    }
    gate.shut(None);
    idle(&tab).await;
    tab.close().await.unwrap();
    stored(&stack, "unknown", &["page_view", "early", "page_view", "early"]);
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

/// The clock was ahead when somebody was to wait, and is right again.
#[tokio::test(flavor = "multi_thread")]
async fn a_wait_that_no_timer_can_take_keeps_no_page_busy() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("ahead", &site.origin).unwrap();
    let ahead = "<script>localStorage['footfall.ahead.hold'] = Date.now() + 40 * 24 * 3600 * 1000;
        window.timers = 0; const own = setTimeout; Math.random = () => 0;
        window.setTimeout = (...given) => { timers++; return own(...given); };</script>";
    let url = site.serve(String::new(), [EARLY, ahead, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    stands(&tab, 1000).await;
    let timers = tab.evaluate("timers").await.unwrap();
    assert!(timers.as_u64().unwrap() < 30, "{timers}");
    assert!(tab.holds("errors.length === 0").await);
    tab.close().await.unwrap();
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

/// As with WebAssembly: each failure is waited for longer, whatever is called meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn without_webassembly_too_a_full_collector_is_not_pressed() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let gate = Gate::before(&stack.collector).await;
    let site = Site::bind();
    let tag = through(&gate, &stack.site("pressed", &site.origin).unwrap());
    let policy = format!(
        "content-security-policy: script-src 'unsafe-inline' {}; connect-src {}\r\n",
        stack.collector, gate.url
    );
    let url = site.serve(policy, [EARLY, &tag].concat());
    gate.shut(Some((StatusCode::SERVICE_UNAVAILABLE, 0)));
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    let pressed = "window.calls = 0; const again = setInterval(() => {
        footfall('pressed'); if (++calls === 20) clearInterval(again); }, 100)";
    run(&tab, pressed).await;
    tab.wait_until("calls === 20").await.unwrap();
    // In two seconds: at once, after half a second to one, after one to two more.
    let batches = gate.batches().len();
    assert!(batches <= 5, "{batches}");
    gate.shut(None);
    idle(&tab).await;
    tab.close().await.unwrap();
    stored(&stack, "pressed", &[&["page_view", "early"][..], &["pressed"; 20]].concat());
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}
