//! What the visitor agrees to, or their browser says for them.

use axum::http::StatusCode;
use example_shop::browser::Browser;
use footfall_tests::Stack;

use super::gate::Gate;
use super::site::{DEVICE, EARLY, Site, idle, is_stored, ready, run, stands, stored};

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
            // Also while another tab sends: there is no later for it.
            &format!(
                "localStorage['footfall.{name}.hold'] = Date.now() + 10000; \
                 footfall('consent', {{ analytics: 'denied', ads: 'denied' }}); footfall('unseen'); \
                 delete localStorage['footfall.{name}.hold']"
            ),
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

/// What a page's storage holds of a site, by key.
const KEYS: &str = "Object.keys(localStorage).map((key) => key.split('.')[2]).sort().join()";

#[tokio::test(flavor = "multi_thread")]
async fn before_the_visitor_answers_the_site_waits_says_nothing_or_keeps_nothing() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let events: [(&str, &str, &[&str], &[&str]); 4] = [
        ("wait", "data-before-consent=wait", &[], &["page_view", "early", "shown"]),
        ("nothing", "data-before-consent=nothing", &[], &["page_view"]),
        ("bare", "data-before-consent=cookieless", &["page_view", "early", "shown"], &[]),
        ("bare-always", "data-cookieless", &["page_view", "early", "shown"], &[]),
    ];
    for (name, option, before, answered) in events {
        let site = Site::bind();
        let tag = stack.site_with(name, &site.origin, &["--visitors", "either"]).unwrap();
        let tag = tag.replace("<script ", &format!("<script {option} "));
        let url = site.serve(String::new(), [EARLY, &tag].concat());
        let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
        tab.come_to(&url, "").await.unwrap();
        ready(&tab).await;
        run(&tab, "footfall('shown')").await;
        if !before.is_empty() {
            idle(&tab).await;
            stored(&stack, name, before);
        }
        assert!(tab.holds("localStorage.length === 0").await, "{name}");
        run(&tab, "footfall('consent', { analytics: 'granted' })").await;
        idle(&tab).await;
        let all = [before, answered, &["consent"]].concat();
        stored(&stack, name, &all);
        let kept = if name == "bare-always" { "consent" } else { "consent,session,visitor" };
        assert!(tab.holds(&format!("{KEYS} === '{kept}'")).await, "{name}");
        assert!(tab.holds("errors.length === 0").await);
        tab.close().await.unwrap();
    }
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

/// An option that holds on one of the site's pages.
fn option_on(path: &str, option: &str) -> String {
    format!("<script>if (location.pathname === '{path}') footfall.{option};</script>")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_before_a_visitor_agreed_is_no_part_of_the_visit() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("later", &site.origin).unwrap();
    let tag = tag.replace("<script ", "<script data-before-consent=nothing ");
    let url = site.serve(String::new(), [EARLY, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    stands(&tab, 2000).await;
    run(&tab, "footfall('consent', { analytics: 'granted' })").await;
    idle(&tab).await;
    stored(&stack, "later", &["page_view", "consent"]);
    is_stored(&stack, "later", "(count(), uniqExact(session_id)) = (2, 1)").unwrap();
    // From then on they are looked for.
    stands(&tab, 1000).await;
    tab.come_to("about:blank", "").await.unwrap();
    tab.close().await.unwrap();
    let told = "countIf(kind = 'engagement') = 1";
    footfall_tests::eventually(std::time::Duration::from_secs(60), || {
        is_stored(&stack, "later", told)
    })
    .unwrap();
    is_stored(&stack, "later", "uniqExact(session_id) = 1").unwrap();
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_the_sites_default_is_an_answer() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("default", &site.origin).unwrap();
    // As in a country where the site takes a no for granted, and later in another.
    let denied = option_on("/", "consent = 'denied unknown denied'");
    let url = site.serve(String::new(), [EARLY, &denied, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    run(&tab, "footfall('consent', {}); footfall('consent', { analytics: false })").await;
    assert!(tab.holds("localStorage.length === 0").await);
    run(&tab, "footfall('consent', { analytics: 'denied' })").await;
    assert!(tab.holds("localStorage['footfall.default.consent'].startsWith('denied')").await);
    tab.come_to(&format!("{url}/elsewhere"), "").await.unwrap();
    ready(&tab).await;
    run(&tab, "footfall('unseen')").await;
    let kept = "Object.keys(localStorage).join() === 'footfall.default.consent'";
    assert!(tab.holds(kept).await);
    assert!(tab.holds("errors.length === 0").await);
    tab.come_to("about:blank", "").await.unwrap();
    tab.close().await.unwrap();
    stored(&stack, "default", &[]);
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_denies_leaves_nothing_that_was_kept_before_the_site_asked() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    for (name, option) in [("asks", "beforeConsent = 'wait'"), ("bares", "cookieless = true")] {
        let site = Site::bind();
        let tag = stack.site(name, &site.origin).unwrap();
        let option = option_on("/later", option);
        let url = site.serve(String::new(), [EARLY, &option, &tag].concat());
        let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
        tab.come_to(&url, "").await.unwrap();
        ready(&tab).await;
        run(&tab, "footfall('identify', 'customer-7')").await;
        idle(&tab).await;
        assert!(tab.holds(&format!("{KEYS} === 'session,user,visitor'")).await, "{name}");
        tab.come_to(&format!("{url}/later"), "").await.unwrap();
        ready(&tab).await;
        run(&tab, "footfall('consent', { analytics: 'denied' })").await;
        tab.wait_until(&format!("{KEYS} === 'consent'")).await.unwrap();
        assert!(tab.holds("errors.length === 0").await);
        tab.close().await.unwrap();
    }
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_in_one_tab_is_one_in_the_others() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let (held, views) = (["page_view", "early", "page_view", "early"], ["page_view", "page_view"]);
    for (name, before, answer, told) in [
        ("agreed", "wait", "granted", &held[..]),
        ("asked", "nothing", "granted", &views),
        ("refused", "wait", "denied", &[]),
    ] {
        let site = Site::bind();
        let tag = stack.site(name, &site.origin).unwrap();
        let tag = tag.replace("<script ", &format!("<script data-before-consent={before} "));
        // To the storage a frame is another tab.
        let other = "<script>if (location.pathname === '/') { const frame = document.createElement('iframe');
            frame.src = '/other'; document.documentElement.append(frame); }</script>";
        let url = site.serve(String::new(), [EARLY, &tag, other].concat());
        let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
        tab.come_to(&url, "").await.unwrap();
        ready(&tab).await;
        tab.wait_until("frames[0]?.footfall?.ready").await.unwrap();
        assert!(tab.holds("localStorage.length === 0").await, "{name}");
        // Behind the tracker's own.
        let heard = "frames[0].addEventListener('storage', () => setTimeout(() => { window.heard = true }))";
        run(&tab, heard).await;
        run(&tab, &format!("footfall('consent', {{ analytics: '{answer}' }})")).await;
        tab.wait_until("window.heard").await.unwrap();
        let kept = if answer == "denied" { "consent" } else { "consent,session,visitor" };
        let both = "footfall.idle() && frames[0].footfall.idle()";
        tab.wait_until(&format!("{both} && {KEYS} === '{kept}'")).await.unwrap();
        run(&tab, "frames[0].footfall('after')").await;
        tab.wait_until(both).await.unwrap();
        assert!(tab.holds("errors.length + frames[0].errors.length === 0").await);
        tab.come_to("about:blank", "").await.unwrap();
        tab.close().await.unwrap();
        if answer == "denied" {
            stored(&stack, name, &[]);
        } else {
            stored(&stack, name, &[told, &["consent", "after"]].concat());
            let one = "(uniqExact(visitor_id), uniqExact(session_id)) = (1, 1)";
            is_stored(&stack, name, one).unwrap();
        }
    }
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_webassembly_too_who_agrees_later_has_come_from_where_they_came() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("from", &site.origin).unwrap();
    let tag = tag.replace("<script ", "<script data-before-consent=nothing ");
    let collector = &stack.collector;
    let policy = format!(
        "content-security-policy: script-src 'unsafe-inline' {collector}; connect-src {collector}\r\n"
    );
    let url = site.serve(policy, [EARLY, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "https://outside.example/post").await.unwrap();
    ready(&tab).await;
    run(&tab, "footfall('consent', { analytics: 'granted' })").await;
    idle(&tab).await;
    tab.close().await.unwrap();
    stored(&stack, "from", &["page_view", "consent"]);
    is_stored(&stack, "from", "countIf(startsWith(referrer, 'https://outside.example/')) = 2")
        .unwrap();
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_known_before_they_agree_is_known_when_they_have_agreed() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let site = Site::bind();
    let tag = stack.site("known", &site.origin).unwrap();
    let tag = tag.replace("<script ", "<script data-before-consent=nothing ");
    let calls = "<script>footfall('identify', 'customer-7', { email: 'ada@shop.example' });
        footfall('consent', { analytics: 'granted', ads: 'granted' });</script>";
    let url = site.serve(String::new(), [EARLY, calls, &tag].concat());
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    ready(&tab).await;
    tab.wait_until("!localStorage['footfall.known.traits'] && footfall.idle()").await.unwrap();
    assert!(tab.holds("localStorage['footfall.known.user'] === 'customer-7'").await);
    assert!(tab.holds("errors.length === 0").await);
    stored(&stack, "known", &["page_view", "early", "consent", "identify", "identify"]);
    is_stored(&stack, "known", "countIf(kind != 'engagement' AND user_id = '') = 0").unwrap();
    tab.close().await.unwrap();
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_denies_while_the_collector_is_full_leaves_their_answer_alone() {
    let stack = Stack::up(&[]).unwrap();
    let browser = Browser::start().await.unwrap();
    let gate = Gate::before(&stack.collector).await;
    let site = Site::bind();
    let tag = stack.site("held", &site.origin).unwrap();
    let tag = tag.replace("<script ", &format!("<script data-collector={} ", gate.url));
    let url = site.serve(String::new(), [EARLY, &tag].concat());
    gate.shut(Some((StatusCode::TOO_MANY_REQUESTS, 600)));
    let tab = browser.visitor(&DEVICE, "en", None).await.unwrap();
    tab.come_to(&url, "").await.unwrap();
    tab.wait_until("localStorage['footfall.held.hold'] > Date.now() + 500_000").await.unwrap();
    run(&tab, "footfall('consent', { analytics: 'denied' })").await;
    let kept = tab.evaluate("Object.keys(localStorage).join()").await.unwrap();
    assert_eq!(kept, "footfall.held.consent");
    tab.close().await.unwrap();
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}
