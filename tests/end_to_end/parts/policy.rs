//! The parts where a page's content security policy is strict, and where none of them is switched on.

use super::site::{Site, closed, come, is_well, leave, opened, properties, stored, tag, visitor};

const PARTS: [&str; 8] =
    ["forms", "vitals", "errors", "datalayer", "tcf", "consent-mode", "domains", "search"];

#[tokio::test(flavor = "multi_thread")]
async fn every_part_runs_under_a_strict_policy_and_none_is_fetched_that_is_not_wanted() {
    let (stack, browser) = opened().await;
    let site = Site::bind().await;
    let options = format!("data-with='{}'", PARTS.join(" "));
    let tagged = tag(&stack, "strict", &[&site.origin], &options);
    let policy = format!(
        "default-src 'none'; script-src 'nonce-r4nd0m' 'strict-dynamic' 'wasm-unsafe-eval'; connect-src {}; \
         base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
        stack.collector
    );
    let page = "<!doctype html><title>Strict</title>HEAD<form id=f><input name=city></form>";
    let url = site.serve(&[("/", page)], &tagged, &policy, None);
    let tab = visitor(&browser).await;
    come(&tab, &format!("{url}/?q=mug"), &PARTS).await;
    tab.fill("[name=city]", "x").await.unwrap();
    is_well(&tab).await;
    leave(&tab).await;
    let expected = ["page_view", "form_start", "form_abandoned", "site_search", "web_vitals"];
    let events = stored(&stack, "strict", &expected);
    assert_eq!(properties(&events, "site_search")[0]["term"], "mug");

    let site = Site::bind().await;
    let tagged = tag(&stack, "plain", &[&site.origin], "");
    let url = site.serve(&[("/", page)], &tagged, "", None);
    come(&tab, &url, &[]).await;
    tab.wait_until("footfall.idle()").await.unwrap();
    for part in PARTS {
        let fetched = format!(
            "performance.getEntriesByType('resource').some(({{ name }}) => name.endsWith('.{part}.js'))"
        );
        assert!(!tab.holds(&fetched).await, "{part}");
    }
    tab.close().await.unwrap();
    closed(stack, browser).await;
}
