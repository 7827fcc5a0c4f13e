//! A visitor follows a redirect link in a real browser, and comes to the page.

use std::future::pending;

use example_shop::browser::Browser;
use example_shop::visitor::Device;
use footfall_tests::{Footfall, Stack};
use serde_json::json;
use tokio::net::TcpListener;

const PHONE: Device = Device {
    user_agent: "Mozilla/5.0 (Linux; Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0",
    width: 390,
    height: 844,
    mobile: true,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_link_leads_to_its_page_and_its_click_is_counted() {
    let stack = Stack::up(&[]).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let shop = format!("http://{}", listener.local_addr().unwrap());
    let tag = stack.site("shop", &shop).unwrap();
    tokio::spawn(example_shop::serve(listener, tag, pending()));
    let printed = stack.footfall(&[
        "link",
        "--site",
        "shop",
        "--to",
        &format!("{shop}/"),
        "--name",
        "poster 3",
        "--source",
        "poster",
        "--medium",
        "qr",
        "--campaign",
        "spring",
        "--collector-url",
        &stack.collector,
    ]);
    let link = printed.unwrap().trim().to_owned();

    let browser = Browser::start().await.unwrap();
    let tab = browser.visitor(&PHONE, "en", None).await.unwrap();
    tab.come_to(&link, "").await.unwrap();
    let target = format!("{shop}/?utm_source=poster&utm_medium=qr&utm_campaign=spring");
    assert_eq!(tab.url().await.unwrap().as_str(), target);
    // The click by the collector, the view by the page.
    stack.arrived("shop", 2).unwrap();
    tab.close().await.unwrap();
    browser.stop().await.unwrap();

    let question = "SELECT name, path, campaign, browser, properties FROM footfall.events FINAL
         WHERE kind != 'engagement' ORDER BY name";
    let row = |name: &str, properties| {
        json!({
            "name": name, "path": "/", "campaign": "spring", "browser": "Firefox",
            "properties": properties,
        })
    };
    let expected = [row("link_clicked", json!({"link": "poster 3"})), row("page_view", json!({}))];
    assert_eq!(stack.rows(question).unwrap(), expected);
    stack.stop().unwrap();
}

#[test]
fn a_link_of_a_site_that_the_collector_does_not_know_is_made_with_a_warning() {
    let stack = Stack::up(&[]).unwrap();
    stack.site("shop", "https://shop.example").unwrap();
    let link = |site: &str, folder: &str| {
        let to = "https://shop.example/";
        let run =
            Footfall::run(&["link", "--site", site, "--to", to, "--data-dir", folder]).unwrap();
        assert_eq!((run.code, run.printed.lines().count()), (Some(0), 1), "{}", run.errors);
        run.errors
    };
    assert_eq!(link("shop", stack.folder()), "");
    let warned = link("shpo", stack.folder());
    assert!(warned.starts_with("warning: the collector knows no site shpo,"), "{warned}");
    // On a machine without a collector nothing is known of sites, and links can be made all the same.
    let elsewhere = tempfile::tempdir().unwrap();
    assert_eq!(link("shpo", elsewhere.path().to_str().unwrap()), "");
    stack.stop().unwrap();
}

#[test]
fn a_link_that_leads_to_no_page_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    for to in ["javascript:alert(1)", "//evil.example", "https://shop.example@evil.example/"] {
        let arguments = ["link", "--site", "shop", "--to", to, "--data-dir", folder];
        let run = Footfall::run(&arguments).unwrap();
        assert_eq!((run.code, run.printed.as_str()), (Some(1), ""), "{to}");
        assert!(run.errors.contains("a link"), "{}", run.errors);
    }
}
