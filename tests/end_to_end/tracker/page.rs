//! Pages that make it hard: without WebAssembly, left at once, broken by the page, seen again.

use example_shop::browser::{Browser, Tab};
use footfall_tests::Stack;

use super::site::{DEVICE, EARLY, Site, idle, is_stored, ready, run, stands, stored};

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
        // On a slow machine the fallback is there first.
        tab.wait_until(&format!("window.wasm === {wasm}")).await.unwrap();
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
    // Nor does the loader's patience end here (LATE_MILLIS), however slow the machine is.
    let never = "<script>WebAssembly.instantiate = () => new Promise(() => {}); \
        const timer = setTimeout; \
        window.setTimeout = (work, wait, ...rest) => wait === 3000 ? 0 : timer(work, wait, ...rest);\
        </script>";
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
async fn a_page_is_viewed_each_time_it_is_shown_from_the_back_forward_cache() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("shown", &site.origin).unwrap();
    let shown = "<script>addEventListener('pageshow', (event) => window.persisted = event.persisted);</script>";
    let url = site.serve(String::new(), [EARLY, shown, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
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

#[tokio::test(flavor = "multi_thread")]
async fn places_in_a_page_are_no_pages_unless_the_site_says_so() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    for (name, option) in [("plain", ""), ("hashes", "data-hash-routes")] {
        let site = Site::bind();
        let tag = stack.site(name, &site.origin).unwrap();
        let tag = tag.replace("<script ", &format!("<script {option} "));
        let url = site.serve(String::new(), [EARLY, &tag].concat());
        let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
        tab.come_to(&url, "").await.unwrap();
        ready(&tab).await;
        run(&tab, "location.hash = 'terms'").await;
        tab.wait_until("location.hash === '#terms' && footfall.idle()").await.unwrap();
        run(&tab, "history.pushState({}, '', '/next#top')").await;
        idle(&tab).await;
        run(&tab, "history.replaceState({}, '', '/last#top')").await;
        idle(&tab).await;
        tab.close().await.unwrap();
        let mut expected = vec!["page_view"; if option.is_empty() { 3 } else { 4 }];
        expected.push("early");
        stored(&stack, name, &expected);
    }
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_campaign_begins_another_session_and_a_place_in_the_page_does_not() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("campaign", &site.origin).unwrap();
    let url = site.serve(String::new(), [EARLY, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    let mut sessions = Vec::new();
    let queries = ["", "?utm_source=letter", "?utm_source=letter&page=2", "?page=3", "?gclid=abc"];
    for query in queries {
        tab.come_to(&format!("{url}/{query}"), "").await.unwrap();
        ready(&tab).await;
        idle(&tab).await;
        let session = tab.evaluate("localStorage['footfall.campaign.session'].split(' ')[0]").await;
        sessions.push(session.unwrap().as_str().unwrap().to_owned());
    }
    let [direct, letter, same, inner, click] = &sessions[..] else { panic!("{sessions:?}") };
    assert!(direct != letter && letter == same && same == inner && inner != click, "{sessions:?}");
    tab.close().await.unwrap();
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn tabs_of_two_campaigns_do_not_begin_a_session_with_every_event() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("campaigns", &site.origin).unwrap();
    // To the storage a frame is another tab.
    let other =
        "<script>if (location.pathname === '/') { const frame = document.createElement('iframe');
        frame.src = '/other?utm_content=b'; document.documentElement.append(frame); }</script>";
    let url = site.serve(String::new(), [EARLY, &tag, other].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&format!("{url}/?utm_content=a"), "").await.unwrap();
    ready(&tab).await;
    tab.wait_until("frames[0]?.footfall?.ready").await.unwrap();
    for _ in 0..3 {
        run(&tab, "footfall('here'); frames[0].footfall('there')").await;
    }
    tab.wait_until("footfall.idle() && frames[0].footfall.idle()").await.unwrap();
    // An ad's click is another campaign, whoever showed it.
    tab.come_to(&format!("{url}/shoes?ScCid=1"), "").await.unwrap();
    ready(&tab).await;
    idle(&tab).await;
    tab.close().await.unwrap();
    let view = ["page_view", "early"];
    let events = [&view[..], &view, &view, &["here"; 3], &["there"; 3]].concat();
    stored(&stack, "campaigns", &events);
    is_stored(&stack, "campaigns", "uniqExactIf(session_id, path != '/shoes') = 2").unwrap();
    is_stored(&stack, "campaigns", "uniqExact(session_id) = 3").unwrap();
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

/// A router sets the title behind the address, and often replaces the address once more.
/// Where a browser has no Navigation API, `navigation` may be an element of the page.
#[tokio::test(flavor = "multi_thread")]
async fn an_element_named_navigation_hides_no_route() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("nav", &site.origin).unwrap();
    let element = "<script>Object.defineProperty(window, 'navigation',
        { value: document.createElement('nav') });</script>";
    let tag = tag.replace("<script ", "<script data-with=search ");
    let url = site.serve(String::new(), [EARLY, element, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    tab.wait_until(
        "performance.getEntriesByType('resource').some(({ name }) => /search/.test(name))",
    )
    .await
    .unwrap();
    run(&tab, "history.pushState({}, '', '/found?q=mug')").await;
    stored(&stack, "nav", &["page_view", "early", "page_view", "site_search"]);
    assert!(tab.holds("errors.length === 0").await);
    tab.close().await.unwrap();
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

/// The page is hidden for a moment before the tracker is there, and shows another address as it comes.
#[tokio::test(flavor = "multi_thread")]
async fn a_route_is_viewed_though_the_tracker_takes_over_in_that_moment() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("over", &site.origin).unwrap();
    let late = "<script>window.wasm = false; const began = WebAssembly.instantiate;
        WebAssembly.instantiate = (...given) => new Promise((go) => window.go = go)
            .then(() => began(...given)).then((made) => (window.wasm = true, made));</script>";
    let url = site.serve(String::new(), [EARLY, late, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    tab.wait_until("typeof go === 'function'").await.unwrap();
    run(&tab, "dispatchEvent(new Event('pagehide'))").await;
    ready(&tab).await;
    run(&tab, "go(); history.pushState({}, '', '/second')").await;
    tab.wait_until("wasm").await.unwrap();
    run(&tab, "footfall('after')").await;
    idle(&tab).await;
    assert!(tab.holds("errors.length === 0").await);
    tab.close().await.unwrap();
    stored(&stack, "over", &["page_view", "early", "page_view", "after"]);
    is_stored(&stack, "over", "anyIf(path, name = 'after') = '/second'").unwrap();
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_webassembly_too_a_route_has_its_own_title() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let collector = &stack.collector;
    let policy = format!(
        "content-security-policy: script-src 'unsafe-inline' {collector}; connect-src {collector}\r\n"
    );
    for (name, policy) in [("routes", String::new()), ("routes-refused", policy)] {
        let site = Site::bind();
        let tag = stack.site(name, &site.origin).unwrap();
        let url = site.serve(policy, [EARLY, &tag].concat());
        let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
        tab.come_to(&url, "").await.unwrap();
        ready(&tab).await;
        run(
            &tab,
            "history.pushState({}, '', '/two'); history.replaceState({}, '', '/two/x');
             document.title = 'Two'",
        )
        .await;
        stands(&tab, 300).await;
        idle(&tab).await;
        tab.close().await.unwrap();
        stored(&stack, name, &["page_view", "early", "page_view"]);
        let titles = "arraySort(groupArrayIf((path, title), kind = 'page_view'))
            = [('/', 'Page'), ('/two/x', 'Two')]";
        is_stored(&stack, name, titles).unwrap();
    }
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}
