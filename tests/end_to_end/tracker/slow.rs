//! A slow line and a slow processor; and what the tracker must not cost such a visitor.

use std::time::Duration;

use anyhow::ensure;
use example_shop::browser::{Browser, Tab};
use footfall_tests::{Stack, eventually};
use serde_json::json;

use super::site::{DEVICE, EARLY, Site, idle, ready, run, stored};

/// Notes how far the page's contents are pushed about, and how often `Intl` was used before the first event
/// was sent.
const WATCHED: &str = "<script>window.shifted = 0; window.intl = 0; window.intlBefore = null;
    new PerformanceObserver((list) => list.getEntries().forEach(({ value }) => shifted += value))
        .observe({ type: 'layout-shift', buffered: true });
    const within = Intl;
    window.Intl = new Proxy(within, { get: (...given) => (intl++, Reflect.get(...given)) });
    for (const [owner, name] of [[Date, 'toLocaleString'], [Date, 'toLocaleDateString'],
            [Date, 'toLocaleTimeString'], [Number, 'toLocaleString'], [String, 'localeCompare']]) {
        const own = owner.prototype[name];
        owner.prototype[name] = function (...given) { intl++; return own.apply(this, given); };
    }
    const fetched = fetch, beaconed = navigator.sendBeacon;
    window.fetch = (...given) => (intlBefore ??= intl, fetched(...given));
    navigator.sendBeacon = (...given) => (intlBefore ??= intl, beaconed.apply(navigator, given));
    </script>";

async fn slow_line(tab: &Tab, latency_millis: u32) {
    let line = json!({
        "offline": false,
        "latency": latency_millis,
        "downloadThroughput": 1_600_000 / 8,
        "uploadThroughput": 750_000 / 8,
    });
    tab.devtools("Network.enable", json!({})).await.unwrap();
    tab.devtools("Network.emulateNetworkConditions", line).await.unwrap();
}

/// As a phone of little money has it in the country.
async fn slow_down(tab: &Tab) {
    slow_line(tab, 150).await;
    tab.devtools("Emulation.setCPUThrottlingRate", json!({ "rate": 4 })).await.unwrap();
}

/// Waits until just these are stored: how many events of each kind and name, each in one row.
fn stored_once(stack: &Stack, site: &str, expected: &str) {
    let question = "SELECT kind, name, uniqExact(event_id), count() FROM (
            SELECT kind, name, event_id FROM footfall.events FINAL WHERE site = {site:String}
            UNION ALL
            SELECT kind, name, event_id FROM footfall.bot_events FINAL WHERE site = {site:String}
        ) GROUP BY ALL ORDER BY ALL FORMAT CSV";
    eventually(Duration::from_secs(60), || {
        let answer = ureq::post(&stack.clickhouse).query("param_site", site).send(question)?;
        let found = answer.into_body().read_to_string()?.replace('"', "");
        ensure!(found.trim() == expected, "of {site} there are {found}, not {expected}");
        Ok(())
    })
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_slow_line_and_processor_all_is_counted_once_and_the_page_stands_still() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("slow", &site.origin).unwrap();
    let url = site.serve(String::new(), [WATCHED, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    slow_down(&tab).await;
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    run(&tab, "footfall('step', 'checkout', 'shipping')").await;
    idle(&tab).await;
    assert!(tab.holds("shifted === 0").await);
    assert!(tab.holds("intlBefore === 0").await);
    // Both would have been seen.
    run(&tab, "Intl.DateTimeFormat(); document.body.prepend(document.createElement('hr'))").await;
    tab.wait_until("shifted > 0 && intl === 1").await.unwrap();
    tab.come_to("about:blank", "").await.unwrap();
    tab.close().await.unwrap();
    stored_once(
        &stack,
        "slow",
        "engagement,engagement,1,1\npage_view,page_view,1,1\nstep,checkout/shipping,1,1",
    );
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_early_on_a_slow_line_is_counted_once() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("slow-leaving", &site.origin).unwrap();
    let url = site.serve(String::new(), [EARLY, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    slow_down(&tab).await;
    let mut expected = Vec::new();
    for millis in [0, 50, 150, 300, 600] {
        tab.come_to(&format!("{url}/{millis}"), "").await.unwrap();
        tab.wait_until("typeof footfall.idle === 'function'").await.unwrap();
        run(&tab, &format!("setTimeout(() => location = 'about:blank', {millis})")).await;
        tab.wait_until("location.href === 'about:blank'").await.unwrap();
        expected.extend(["page_view", "early"]);
    }
    tab.close().await.unwrap();
    stored(&stack, "slow-leaving", &expected);
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

/// The tracker starts in several tasks. Here the page holds up what is to be done in the next one.
#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_between_two_tasks_of_the_start_is_counted_once() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("between", &site.origin).unwrap();
    // Nor does the loader's patience end here (LATE_MILLIS), however slow the machine is.
    let held = "<script>window.held = []; const own = setTimeout;
        window.setTimeout = (work, after, ...given) => after === 3000 ? 0 :
            typeof after === 'number' ? own(work, after, ...given) : held.push(work);
        window.wasm = false; const began = WebAssembly.instantiate;
        WebAssembly.instantiate = (...given) => began(...given).then((made) => (window.wasm = true, made));
        </script>";
    let url = site.serve(String::new(), [EARLY, held, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    let mut expected = Vec::new();
    for (gap, wasm) in [(0, false), (1, true)] {
        // Who goes for good, and who is still there when the tracker goes on.
        for stays in [false, true] {
            tab.come_to(&format!("{url}/{gap}/{stays}"), "").await.unwrap();
            tab.wait_until("window.held?.length === 1").await.unwrap();
            if gap == 1 {
                run(&tab, "held.shift()()").await;
                tab.wait_until("window.held.length === 1").await.unwrap();
            }
            assert!(tab.holds(&format!("wasm === {wasm} && footfall.ready === false")).await);
            expected.extend(["page_view", "early"]);
            if stays {
                run(&tab, "dispatchEvent(new Event('pagehide'))").await;
                run(
                    &tab,
                    "own(function go() { held.splice(0).forEach((work) => work()); own(go, 10); })",
                )
                .await;
                tab.wait_until("wasm && held.length === 0").await.unwrap();
                run(&tab, "footfall('after')").await;
                idle(&tab).await;
                expected.push("after");
            }
            assert_eq!(tab.evaluate("errors").await.unwrap(), json!([]));
            tab.come_to("about:blank", "").await.unwrap();
        }
    }
    tab.close().await.unwrap();
    stored(&stack, "between", &expected);
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

/// The page before may have had no time to hash what it was told, and leaves that to the next: not this page's
/// own, which it hashes already.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_identified_before_the_tracker_is_there_is_identified_once() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("identified", &site.origin).unwrap();
    let called =
        "<script>footfall('identify', 'customer-7', { email: 'ada@shop.example' })</script>";
    let url = site.serve(String::new(), [EARLY, called, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    // What hashes comes when the tracker has begun.
    slow_line(&tab, 400).await;
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    // The hashes have come, and nothing is left to be hashed.
    let hashed = "performance.getEntriesByType('resource').some((entry) => /traits/.test(entry.name)) \
                  && !localStorage['footfall.identified.traits'] && footfall.idle()";
    tab.wait_until(hashed).await.unwrap();
    assert_eq!(tab.evaluate("errors").await.unwrap(), json!([]));
    tab.close().await.unwrap();
    stored(&stack, "identified", &["page_view", "early", "identify", "identify"]);
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}
