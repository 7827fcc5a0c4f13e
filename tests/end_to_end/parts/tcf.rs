//! What a visitor agrees to in a consent banner of the Transparency and Consent Framework: IAB's own
//! packages play the banner.

use super::consent_mode::told;
use super::site::{Site, closed, come, is_well, leave, opened, run, stored, tag, visitor};
use crate::sdk::modules;

const STUB: &str = "<script src=\"/npm/@iabtechlabtcf/stub/lib/stub.js\"></script>";

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_banner_of_the_framework_is_read_and_only_a_yes_is_one() {
    let Some(modules) = modules("tcf") else { return };
    let (stack, browser) = opened().await;
    let answers = "banner.update('', true); banner.update(chosen(1, 8, 9), false)";
    let all = "banner.update(chosen(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), false)";
    let cases = [
        (
            "early",
            STUB,
            vec![answers, all, answers],
            vec![
                ["granted", "denied", "denied"],
                ["granted", "granted", "granted"],
                ["granted", "denied", "denied"],
            ],
        ),
        // The banner itself comes when the page has long been there.
        ("late", "", vec!["begin()", answers], vec![["granted", "denied", "denied"]]),
        // No yes to storing anything: nothing is granted, and the last that is heard is that.
        ("shown", STUB, vec!["banner.update('', true)"], vec![]),
        ("elsewhere", STUB, vec!["banner.update(null)"], vec![]),
    ];
    for (name, stub, scripts, expected) in cases {
        let site = Site::bind().await;
        let tag = tag(&stack, name, &[&site.origin], "data-with=tcf");
        let page = include_str!("tcf.html").replace("STUB", stub);
        let url = site.serve(&[("/", &page)], &tag, "", Some(&modules));
        let tab = visitor(&browser).await;
        come(&tab, &url, &["tcf"]).await;
        tab.wait_until("!!window.chosen && !!(window.banner || window.begin)").await.unwrap();
        for script in scripts {
            run(&tab, script).await;
            // The banner answers in a task of its own.
            tab.wait_until("new Promise((done) => setTimeout(() => done(true), 400))")
                .await
                .unwrap();
        }
        is_well(&tab).await;
        leave(&tab).await;
        let mut names = vec!["page_view"];
        names.extend(expected.iter().map(|_| "consent"));
        assert_eq!(told(&stored(&stack, name, &names)), expected, "{name}");
        tab.close().await.unwrap();
    }
    // No yes to keeping anything is a no.
    let site = Site::bind().await;
    let tag = tag(&stack, "refused", &[&site.origin], "data-with=tcf");
    let url = site.serve(
        &[("/", &include_str!("tcf.html").replace("STUB", STUB))],
        &tag,
        "",
        Some(&modules),
    );
    let tab = visitor(&browser).await;
    come(&tab, &url, &["tcf"]).await;
    tab.wait_until("!!window.banner && footfall.idle()").await.unwrap();
    run(&tab, "banner.update(chosen(8, 9), false)").await;
    tab.wait_until("localStorage['footfall.refused.consent'] === 'denied denied denied' && localStorage.length === 1")
        .await
        .unwrap();
    tab.close().await.unwrap();
    closed(stack, browser).await;
}
