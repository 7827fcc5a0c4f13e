//! What a visitor agrees to, as the page tells it Google's tags.

use serde_json::Value;

use super::site::{Site, closed, come, is_well, leave, opened, run, stored, tag, visitor};

/// The answers of the events named `consent`, in their order.
pub(super) fn told(events: &[Value]) -> Vec<[String; 3]> {
    let of = |event: &Value| {
        ["consent_analytics", "consent_personalization", "consent_ads"]
            .map(|purpose| event[purpose].as_str().unwrap().to_owned())
    };
    events.iter().filter(|event| event["name"] == "consent").map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn googles_consent_mode_is_read_and_a_default_is_no_answer() {
    let (stack, browser) = opened().await;
    let cases = [
        // (site, defaults, what the visitor says, what is stored)
        (
            "answered",
            "{ ad_storage: 'denied', ad_user_data: 'denied', ad_personalization: 'denied', analytics_storage: 'granted', \
               personalization_storage: 'denied', wait_for_update: 9000 }",
            "gtag('consent', 'update', { ad_storage: 'granted', ad_user_data: 'granted' }); \
             gtag('consent', 'update', { analytics_storage: 'granted' }) \
             then gtag('consent', 'update', { ad_personalization: 'granted' }) \
             then gtag('consent', 'update', { ad_user_data: 'denied', personalization_storage: 'granted' })",
            vec![
                ["granted", "unknown", "unknown"],
                ["granted", "unknown", "granted"],
                ["granted", "granted", "denied"],
            ],
        ),
        (
            "silent",
            "{ ad_storage: 'denied', ad_user_data: 'denied', ad_personalization: 'denied', analytics_storage: 'granted' }",
            "",
            vec![["granted", "unknown", "denied"]],
        ),
        (
            "regional",
            "{ analytics_storage: 'granted', ad_user_data: 'granted', ad_personalization: 'granted' }); \
             gtag('consent', 'default', { ad_user_data: 'denied', region: ['HR', 'US-CA'] }",
            "",
            vec![["granted", "unknown", "unknown"]],
        ),
    ];
    for (name, defaults, says, expected) in cases {
        let site = Site::bind().await;
        let tag = tag(&stack, name, &[&site.origin], "data-with=consent-mode");
        let page = include_str!("consent_mode.html").replace("DEFAULTS", defaults);
        let other = "{ analytics_storage: 'denied', personalization_storage: 'denied', \
            ad_user_data: 'granted', ad_personalization: 'granted' }";
        let other = include_str!("consent_mode.html").replace("DEFAULTS", other);
        let url = site.serve(&[("/", &page), ("/other", &other)], &tag, "", None);
        let tab = visitor(&browser).await;
        come(&tab, &url, &["consent-mode"]).await;
        for said in says.split(" then ") {
            run(&tab, said).await;
        }
        let last = expected.last().unwrap().join(" ");
        tab.wait_until(&format!("localStorage['footfall.{name}.consent'] === '{last}'"))
            .await
            .unwrap();
        // What is known of the visitor stays, whatever the next page's default is.
        let next = if name == "answered" { format!("{url}/other") } else { url };
        come(&tab, &next, &["consent-mode"]).await;
        tab.wait_until("new Promise((done) => setTimeout(() => done(true), 1000))").await.unwrap();
        tab.wait_until("footfall.idle()").await.unwrap();
        let kept = tab.evaluate(&format!("localStorage['footfall.{name}.consent']")).await.unwrap();
        assert_eq!(kept, last, "{name}");
        is_well(&tab).await;
        leave(&tab).await;
        let mut names = vec!["page_view", "page_view"];
        names.extend(expected.iter().map(|_| "consent"));
        assert_eq!(told(&stored(&stack, name, &names)), expected, "{name}");
        tab.close().await.unwrap();
    }
    closed(stack, browser).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_default_does_not_stand_against_what_the_browser_says_for_the_visitor() {
    let (stack, browser) = opened().await;
    let defaults = "{ ad_storage: 'granted', ad_user_data: 'granted', ad_personalization: 'granted', \
                    analytics_storage: 'granted' }";
    for (name, signal, kept) in [
        ("control", "globalPrivacyControl", "granted unknown denied"),
        ("no-track", "doNotTrack", ""),
    ] {
        let site = Site::bind().await;
        let tag = tag(&stack, name, &[&site.origin], "data-with=consent-mode");
        let signal = format!(
            "<script>Object.defineProperty(Navigator.prototype, '{signal}', {{ get: () => '1' }});</script>"
        );
        let page = include_str!("consent_mode.html").replace("DEFAULTS", defaults);
        let url = site.serve(&[("/", &[&*signal, &page].concat())], &tag, "", None);
        let tab = visitor(&browser).await;
        come(&tab, &url, &["consent-mode"]).await;
        tab.wait_until("new Promise((done) => setTimeout(() => done(true), 1500))").await.unwrap();
        let answer = format!("localStorage['footfall.{name}.consent'] || ''");
        assert_eq!(tab.evaluate(&answer).await.unwrap(), kept, "{name}");
        is_well(&tab).await;
        leave(&tab).await;
        tab.close().await.unwrap();
        let events: &[&str] = if kept.is_empty() { &[] } else { &["page_view", "consent"] };
        stored(&stack, name, events);
    }
    closed(stack, browser).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_tells_their_browser_later_is_no_longer_bound_to_a_default() {
    let (stack, browser) = opened().await;
    let defaults = "{ ad_storage: 'granted', ad_user_data: 'granted', ad_personalization: 'granted', \
                    analytics_storage: 'granted', personalization_storage: 'denied' }";
    // Told before the default is taken, which then holds for what it did not name.
    let answer = "gtag('consent', 'update', { analytics_storage: 'granted', ad_user_data: 'granted', \
                  ad_personalization: 'granted' })";
    let default = "granted denied granted";
    for (name, signal, says, kept) in [
        ("control-later", "globalPrivacyControl", "", "granted denied denied"),
        ("no-track-later", "doNotTrack", "", "denied denied denied"),
        ("answered-before", "globalPrivacyControl", answer, default),
    ] {
        let site = Site::bind().await;
        let tag = tag(&stack, name, &[&site.origin], "data-with=consent-mode");
        let page = include_str!("consent_mode.html").replace("DEFAULTS", defaults);
        let signal = format!(
            "<script>Object.defineProperty(Navigator.prototype, '{signal}', {{ get: () => '1' }});</script>"
        );
        let pages = [("/", &*page), ("/later", &*[&*signal, &page].concat())];
        let url = site.serve(&pages, &tag, "", None);
        let tab = visitor(&browser).await;
        come(&tab, &url, &["consent-mode"]).await;
        let stored_is =
            |words: &str| format!("localStorage['footfall.{name}.consent'] === '{words}'");
        run(&tab, says).await;
        tab.wait_until(&stored_is(default)).await.unwrap();
        come(&tab, &format!("{url}/later"), &["consent-mode"]).await;
        tab.wait_until("new Promise((done) => setTimeout(() => done(true), 1500))").await.unwrap();
        assert!(tab.holds(&stored_is(kept)).await, "{name}");
        assert!(tab.holds("wrong.length === 0").await);
        tab.close().await.unwrap();
    }
    closed(stack, browser).await;
}
