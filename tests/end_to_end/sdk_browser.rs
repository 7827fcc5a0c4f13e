//! Segment's browser library, as it is on npm, in a real browser: every call of a visit is stored, with
//! the library's own ids and times.

use std::path::Path;

use axum::Router;
use example_shop::browser::{Browser, Tab};
use example_shop::visitor::Device;
use footfall_tests::Stack;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower_http::services::{ServeDir, ServeFile};

use crate::sdk::modules;

const LAPTOP: Device = Device {
    user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    width: 1440,
    height: 900,
    mobile: false,
};

/// Serves the page with the library beside it; gives its origin.
async fn serve(modules: &Path) -> String {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/browser");
    let pages = Router::new()
        .route_service("/products", ServeFile::new(files.join("page.html")))
        .route_service("/visit.js", ServeFile::new(files.join("visit.js")))
        .nest_service("/sdk", ServeDir::new(modules.join("@segment/analytics-next/dist/umd")));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, pages).await });
    origin
}

/// What the library says that it has made.
async fn visit(tab: &Tab, page: &str, strategy: &str, collector: &str) -> Vec<Value> {
    let host = collector.strip_prefix("http://").unwrap();
    let address = format!(
        "{page}/products?key={strategy}&strategy={strategy}&host={host}&utm_source=news&utm_medium=email"
    );
    tab.come_to(&address, "").await.unwrap();
    tab.wait_until("window.told !== undefined").await.unwrap();
    let told = tab.evaluate("window.told").await.unwrap();
    told.as_array().unwrap_or_else(|| panic!("{strategy}: {told}")).clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_page_says_with_segments_browser_library_is_stored() {
    let Some(modules) = modules("sdk_browser") else { return };
    let stack = Stack::up(&[]).unwrap();
    let page = serve(&modules).await;
    let browser = Browser::start().await.unwrap();
    // One at a time, or one visit after the other's in batches.
    for strategy in ["standard", "batching"] {
        stack.site(strategy, &page).unwrap();
        let tab = browser.visitor(&LAPTOP, "hr-HR", None).await.unwrap();
        let told = visit(&tab, &page, strategy, &stack.collector).await;
        stack.arrived(strategy, 5).unwrap();
        tab.close().await.unwrap();
        assert_stored(&stack, strategy, &told);
    }
    browser.stop().await.unwrap();
    stack.stop().unwrap();
}

fn assert_stored(stack: &Stack, site: &str, told: &[Value]) {
    let types: Vec<_> = told.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["page", "track", "identify", "group", "alias"]);
    let question = format!(
        "SELECT name, user_id, event_id, visitor_id, toUnixTimestamp64Milli(occurred_at) AS at,
            path, title, channel, browser, language, categories, consent_analytics, consent_ads, properties
         FROM footfall.events FINAL WHERE site = '{site}' ORDER BY occurred_at, event_id
         SETTINGS output_format_json_quote_64bit_integers = 0"
    );
    let stored = stack.rows(&question).unwrap();
    let find = |event: &Value| {
        let found = stored.iter().find(|row| row["event_id"] == event["id"]);
        found.unwrap_or_else(|| panic!("{site}: {event} is not among {stored:?}"))
    };
    for event in told {
        let row = find(event);
        assert_eq!(
            (&row["visitor_id"], &row["at"]),
            (&event["visitor"], &event["at"]),
            "{site}: {row}"
        );
        assert_eq!((&row["path"], &row["title"]), (&json!("/products"), &json!("Running shoes")));
        let consent = (&row["consent_analytics"], &row["consent_ads"]);
        assert_eq!(consent, (&json!("granted"), &json!("denied")), "{site}: {row}");
        let visit = ["channel", "browser", "language"].map(|column| row[column].as_str().unwrap());
        assert_eq!(visit, ["Email", "Firefox", "hr-HR"], "{site}: {row}");
        assert!(!row.to_string().to_lowercase().contains("horvat"), "{site}: {row}");
    }
    let rows_told: Vec<_> = told.iter().map(find).collect();
    let names: Vec<_> = rows_told.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["page_view", "Product Added", "identify", "group", "alias"]);
    assert_eq!(rows_told[0]["categories"], json!(["Shoes"]));
    assert_eq!(rows_told[1]["properties"], json!({"price": "39.95", "size.eu": "42"}));
    let users: Vec<_> = rows_told.iter().map(|row| row["user_id"].as_str().unwrap()).collect();
    // The library writes the person it knows over the one that an alias names.
    assert_eq!(users, ["", "", "u1", "u1", "u1"]);
    assert_eq!(rows_told[3]["properties"], json!({"group_id": "g1"}));
    assert_eq!(rows_told[4]["properties"], json!({"previous_id": "u1"}));
    let question =
        format!("SELECT kind FROM footfall.identifiers FINAL WHERE site = '{site}' ORDER BY kind");
    let kinds = [json!({"kind": "email_google"}), json!({"kind": "email_meta"})];
    assert_eq!(stack.rows(&question).unwrap(), kinds, "{site}");
}
