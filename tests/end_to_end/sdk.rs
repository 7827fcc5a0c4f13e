//! Other people's SDKs, as they are on npm, given the collector's address and a site's name as their
//! key: what a shop's server tells with them is stored, once, and the person only hashed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use footfall_tests::Stack;
use serde_json::json;

/// The folder with the SDKs, or `None` with a line that says which test was not run.
pub(crate) fn modules(test: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("FOOTFALL_SDK_MODULES").map(PathBuf::from) else {
        #[expect(clippy::print_stderr, reason = "a test that was not run says so")]
        {
            eprintln!("not run: {test}: FOOTFALL_SDK_MODULES names no folder with the SDKs");
        }
        return None;
    };
    assert!(folder.is_dir(), "FOOTFALL_SDK_MODULES is no folder: {}", folder.display());
    Some(folder)
}

/// Gives what the SDK complained of.
fn send(modules: &Path, sdk: &str, collector: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/send.cjs");
    let mut node = Command::new("node");
    node.arg(script).args([sdk, collector, sdk]).env("FOOTFALL_SDK_MODULES", modules);
    let run = node.output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(run.status.success(), "{sdk} ended with {}: {said}", run.status);
    said
}

/// A collector that is full when it is asked for the first time.
struct Full {
    collector: String,
    asked: AtomicU32,
}

async fn pass(
    State(full): State<Arc<Full>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if full.asked.fetch_add(1, Ordering::Relaxed) == 0 {
        return (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "1")]).into_response();
    }
    let url = format!("{}{uri}", full.collector);
    let answered = tokio::task::spawn_blocking(move || {
        let mut request = ureq::post(&url);
        for name in ["authorization", "content-type", "content-encoding"] {
            if let Some(value) = headers.get(name) {
                request = request.header(name, value);
            }
        }
        request.send(&body[..]).map(|answer| answer.status())
    });
    answered.await.unwrap().unwrap().into_response()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_sdk_says_to_a_full_collector_is_sent_again_and_stored_once() {
    let Some(modules) = modules("sdk") else { return };
    let stack = Stack::up(&[]).unwrap();
    for sdk in ["segment", "rudder"] {
        stack.site(sdk, "https://shop.example").unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let door = format!("http://{}", listener.local_addr().unwrap());
        let full = Full { collector: stack.collector.clone(), asked: AtomicU32::new(0) };
        let full = Arc::new(full);
        let router = Router::new().fallback(pass).with_state(Arc::clone(&full));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        tokio::task::block_in_place(|| send(&modules, sdk, &door));
        assert!(full.asked.load(Ordering::Relaxed) > 1, "{sdk} has not asked again");
        stack.arrived(sdk, 6).unwrap();
    }
    stack.stop().unwrap();
}

#[test]
fn what_a_server_says_with_an_sdk_of_segments_or_rudderstacks_is_stored() {
    let Some(modules) = modules("sdk") else { return };
    let stack = Stack::up(&[]).unwrap();
    for sdk in ["segment", "rudder"] {
        stack.site(sdk, "https://shop.example").unwrap();
        assert_eq!(send(&modules, sdk, &stack.collector), "", "{sdk}");
        stack.arrived(sdk, 6).unwrap();

        let question = format!(
            "SELECT name, kind, user_id, host, query, channel, browser, consent_analytics, consent_ads,
                properties, uniqExactIf(visitor_id, name != 'alias') OVER () AS visitors
             FROM footfall.events FINAL WHERE site = '{sdk}' ORDER BY name
             SETTINGS output_format_json_quote_64bit_integers = 0"
        );
        let stored = stack.rows(&question).unwrap();
        let names: Vec<_> = stored.iter().map(|row| row["name"].as_str().unwrap()).collect();
        assert_eq!(
            names,
            ["Order Completed", "alias", "group", "identify", "page_view", "screen"],
            "{sdk}"
        );
        // An alias says two users and no browser.
        for row in &stored {
            assert_eq!((&row["user_id"], &row["visitors"]), (&json!("u1"), &json!(1)), "{sdk}");
            assert_eq!(row["browser"], "Firefox", "{sdk}: the visitor's, not the server's");
            let consent = (&row["consent_analytics"], &row["consent_ads"]);
            assert_eq!(consent, (&json!("granted"), &json!("denied")), "{sdk}");
            assert!(!row.to_string().to_lowercase().contains("horvat"), "{sdk}: {row}");
        }
        let order = &stored[0]["properties"];
        assert_eq!(
            (&order["revenue"], &order["products"]),
            (&json!("39.95"), &json!(r#"[{"id":"p1"}]"#))
        );
        let page = &stored[4];
        assert_eq!((&page["host"], &page["channel"]), (&json!("shop.example"), &json!("Email")));
        assert_eq!(page["query"], "utm_source=n&utm_medium=email");

        let question = format!(
            "SELECT kind FROM footfall.identifiers FINAL WHERE site = '{sdk}' ORDER BY kind"
        );
        let kinds = stack.rows(&question).unwrap();
        assert_eq!(
            kinds,
            [json!({"kind": "email_google"}), json!({"kind": "email_meta"})],
            "{sdk}"
        );
    }
    stack.stop().unwrap();
}
