//! Web vitals beside Google's own library in the same page: the figures are the same.

use example_shop::browser::Tab;
use serde_json::Value;

use super::site::{Site, closed, come, is_well, opened, run, tag, told, visitor};
use crate::sdk::modules;

const FIGURES: [&str; 5] = ["ttfb", "fcp", "lcp", "cls", "inp"];

/// What Google's library says; of `cls` four digits.
async fn theirs(tab: &Tab) -> Value {
    tab.evaluate(
        "Object.fromEntries(Object.entries(theirs).map(([name, value]) => \
         [name, name === 'cls' ? Math.round(value * 1e4) / 1e4 : Math.round(value)]))",
    )
    .await
    .unwrap()
}

fn assert_same(ours: &Value, theirs: &Value, apart: f64) {
    for figure in FIGURES {
        let our: f64 = ours[figure]
            .as_str()
            .unwrap_or_else(|| panic!("no {figure} in {ours}"))
            .parse()
            .unwrap();
        let their = theirs[figure].as_f64().unwrap_or_else(|| panic!("no {figure} in {theirs}"));
        assert!((our - their).abs() <= apart, "{figure}: {ours}, not {theirs}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn web_vitals_are_those_that_googles_library_measures_in_the_same_page() {
    let Some(modules) = modules("vitals") else { return };
    let (stack, browser) = opened().await;
    let site = Site::bind().await;
    let tag = tag(&stack, "vitals", &[&site.origin], "data-with=vitals");
    let next = "<!doctype html><title>Next</title><p>Next";
    let pages = [("/", include_str!("vitals.html")), ("/next", next)];
    let url = site.serve(&pages, &tag, "", Some(&modules));
    let tab = visitor(&browser).await;
    come(&tab, &url, &["vitals"]).await;
    tab.wait_until("theirs.lcp > 0 && theirs.fcp > 0").await.unwrap();
    // Two runs of shifts: the second is the worse one, and has two.
    for height in [20, 120, 220] {
        run(&tab, &format!("grow({height})")).await;
        let began = if height == 20 { 1200 } else { 100 };
        run(&tab, &format!("const at = performance.now() + {began}; window.later = () => performance.now() > at")).await;
        tab.wait_until("later()").await.unwrap();
    }
    tab.click("button").await.unwrap();
    tab.wait_until("theirs.inp >= 100").await.unwrap();
    let first = theirs(&tab).await;
    // A single-page site is at another address when it is left.
    run(&tab, "history.replaceState({}, '', '/elsewhere')").await;
    tab.come_to(&format!("{url}/next"), "").await.unwrap();
    tab.wait_until("document.title === 'Next'").await.unwrap();

    run(&tab, "setTimeout(() => history.back())").await;
    tab.wait_until("window.persisted === true && theirs.ttfb === 0").await.unwrap();
    let before = first["lcp"].as_f64().unwrap();
    tab.wait_until(&format!("Math.round(theirs.lcp) !== {before}")).await.unwrap();
    run(&tab, "theirs.inp = 0").await;
    tab.click("button").await.unwrap();
    tab.wait_until("theirs.inp >= 100").await.unwrap();
    let second = theirs(&tab).await;
    is_well(&tab).await;
    tab.come_to(&format!("{url}/next"), "").await.unwrap();
    tab.wait_until("document.title === 'Next'").await.unwrap();
    tab.come_to(&url, "").await.unwrap();

    let told = told(&stack, "vitals", "web_vitals", 2);
    assert_same(&told[0], &first, 0.0);
    assert!(
        first["cls"].as_f64().unwrap() > 0.0 && first["inp"].as_f64().unwrap() >= 100.0,
        "{first}"
    );
    assert_eq!((&told[0]["path"], &told[0]["navigation"]), (&"/".into(), &"navigate".into()));
    // Each takes the time in a task of its own, and the machine may stand still between two.
    assert_same(&told[1], &second, 250.0);
    assert_eq!(told[1]["navigation"], "back_forward_cache");
    assert_ne!(told[0]["load"], told[1]["load"]);
    tab.close().await.unwrap();
    closed(stack, browser).await;
}
