//! Other people's SDKs, as they are on npm, given the collector's address and a site's name as their
//! key: what a shop's server tells with them is stored, once, and the person only hashed.

use std::path::{Path, PathBuf};
use std::process::Command;

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

fn send(modules: &Path, sdk: &str, stack: &Stack) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/send.cjs");
    let mut node = Command::new("node");
    node.arg(script).args([sdk, &stack.collector, sdk]).env("FOOTFALL_SDK_MODULES", modules);
    let run = node.output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success() && said.is_empty(), "{sdk} ended with {}: {said}", run.status);
}

#[test]
fn what_a_server_says_with_an_sdk_of_segments_or_rudderstacks_is_stored() {
    let Some(modules) = modules("sdk") else { return };
    let stack = Stack::up(&[]).unwrap();
    for sdk in ["segment", "rudder"] {
        stack.site(sdk, "https://shop.example").unwrap();
        send(&modules, sdk, &stack);
        stack.arrived(sdk, 3).unwrap();

        let question = format!(
            "SELECT name, kind, user_id, host, query, channel, browser, consent_analytics, consent_ads,
                properties, uniqExact(visitor_id) OVER () AS visitors
             FROM footfall.events FINAL WHERE site = '{sdk}' ORDER BY name
             SETTINGS output_format_json_quote_64bit_integers = 0"
        );
        let stored = stack.rows(&question).unwrap();
        let names: Vec<_> = stored.iter().map(|row| row["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["Order Completed", "identify", "page_view"], "{sdk}");
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
        let page = &stored[2];
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
