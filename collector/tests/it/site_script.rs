//! What a site's settings do to its script, and to where it is served.

use serde_json::{Value, json};

use crate::http::{Answer, send};
use crate::stack::{Collector, PART, batch, page_view};

/// A collector with these sites.
async fn with_sites(sites: &Value, flags: &[&str]) -> (Collector, tempfile::TempDir) {
    let folder = tempfile::TempDir::new().unwrap();
    let server = crate::stack::away(folder.path());
    std::fs::write(folder.path().join("sites.json"), sites.to_string()).unwrap();
    let collector = Collector::start(folder.path(), &server, flags).await;
    (collector, folder)
}

/// What is before the WebAssembly.
fn loader(script: &Answer) -> &str {
    let wasm = script.body.windows(5).position(|bytes| bytes == b"\"p\x11\x03\x1d").unwrap();
    std::str::from_utf8(&script.body[..wasm]).unwrap()
}

fn settings(script: &Answer) -> Value {
    let (_, rest) = loader(script).split_once(", (").unwrap();
    serde_json::from_str(rest.split_once("), ").unwrap().0).unwrap()
}

#[tokio::test]
async fn a_sites_settings_stand_in_its_script() {
    let sites = json!([
        {"name": "shop", "origins": [], "with": ["forms"], "visitors": "cookieless", "canonical": true},
        {"name": "blog", "origins": []}
    ]);
    let (collector, _dir) = with_sites(&sites, &[]).await;
    let shop = collector.get("/s/shop.js").await;
    assert_eq!(settings(&shop), json!({"with": "forms", "cookieless": true, "canonical": true}));
    let blog = collector.get("/s/blog.js").await;
    assert_eq!(settings(&blog), json!({}));
    assert_ne!(shop.header("etag"), blog.header("etag"));
}

#[tokio::test]
async fn collectors_with_one_link_key_give_a_sites_domains_one_key() {
    let sites = json!([
        {"name": "shop", "origins": [], "domains": ["shop.example", "shop.test"]},
        {"name": "blog", "origins": []}
    ]);
    let file = tempfile::NamedTempFile::new().unwrap();
    let link_key = "5".repeat(64);
    std::fs::write(file.path(), &link_key).unwrap();
    let flags = ["--link-key-file", file.path().to_str().unwrap()];
    let mut keys = Vec::new();
    for flags in [&flags[..], &flags[..], &[]] {
        let (collector, _dir) = with_sites(&sites, flags).await;
        let shop = collector.get("/s/shop.js").await;
        assert!(!loader(&shop).contains(&link_key));
        keys.push(settings(&shop)["domainsKey"].as_str().unwrap().to_owned());
        assert_eq!(settings(&collector.get("/s/blog.js").await), json!({}));
    }
    let [one, same, other] = &keys[..] else { panic!("{keys:?}") };
    assert!(one == same && one != other, "{keys:?}");
}

#[tokio::test]
async fn consent_before_an_answer_is_that_of_the_visitors_country() {
    let sites = json!([{
        "name": "shop", "origins": [],
        "consent": "ads=granted", "consent_in": ["GB:analytics=denied", "SE:ads=denied"]
    }]);
    let flags = ["--place-headers", "cloudflare", "--trusted-proxy", "loopback"];
    let (collector, _dir) = with_sites(&sites, &flags).await;
    for (country, consent) in [
        ("GB", "denied unknown granted"),
        ("SE", "unknown unknown denied"),
        ("JP", "unknown unknown granted"),
        // Cloudflare's word for nowhere.
        ("XX", "denied unknown denied"),
    ] {
        let from = [("CF-IPCountry", country)];
        let script = send(collector.address, "GET", "/s/shop.js", &from, b"").await;
        assert_eq!(settings(&script), json!({"consent": consent}), "{country}");
        // No shared cache may give it to a visitor of another country.
        assert_eq!(script.header("cache-control"), Some("private, max-age=300"));
        let known = [("CF-IPCountry", country), ("If-None-Match", script.header("etag").unwrap())];
        let again = send(collector.address, "GET", "/s/shop.js", &known, b"").await;
        assert_eq!(
            (again.status, again.header("cache-control")),
            (304, Some("private, max-age=300"))
        );
    }
}

#[tokio::test]
async fn a_script_at_a_path_of_the_sites_own_needs_no_other_path() {
    let sites = json!([{
        "name": "shop", "origins": [], "script_path": "/assets/app.js", "events_path": "/assets/t"
    }]);
    let (collector, _dir) = with_sites(&sites, &[]).await;
    let script = collector.get("/assets/app.js").await;
    assert_eq!(script.status, 200);
    assert!(!loader(&script).contains("footfall"), "{}", loader(&script));
    assert_eq!(settings(&script), json!({"eventsPath": "/assets/t"}));
    assert_eq!(settings(&collector.get("/s/shop.js").await), json!({"eventsPath": "/assets/t"}));
    // `site("shop", "?HASH.", ...`: what the script fetches is relative to its own address.
    let (_, rest) = loader(&script).split_once(", \"").unwrap();
    let begin = rest.split_once('"').unwrap().0;
    let part = collector.get(&format!("/assets/app.js{begin}forms.js")).await;
    assert_eq!((part.status, part.body.as_slice()), (200, PART));
    assert_eq!(part.header("cache-control"), Some("public, max-age=31536000, immutable"));
    let older = collector.get("/assets/app.js?0123456789abcdef.forms.js").await;
    assert_eq!((older.status, older.body.as_slice()), (200, PART));
    let gone = collector.get("/assets/app.js?0123456789abcdef.gone.js").await;
    assert_eq!(gone.status, 404);
    // A query of somebody's own is no reason not to have the script.
    let busted = collector.get("/assets/app.js?v=7").await;
    assert_eq!(busted.body, script.body);
    assert_eq!(collector.get("/assets/other.js").await.status, 404);
    let posted = send(collector.address, "POST", "/assets/app.js", &[], b"{}").await;
    assert_eq!(posted.status, 405);
}

#[tokio::test]
async fn events_are_taken_at_a_path_of_the_sites_own() {
    let sites = json!([{"name": "shop", "origins": [], "events_path": "/assets/t"}]);
    let (collector, _dir) = with_sites(&sites, &[]).await;
    let sent = batch(&[page_view(1)]).to_string();
    let answer = send(collector.address, "POST", "/assets/t", &[], sent.as_bytes()).await;
    assert_eq!((answer.status, answer.json()["accepted"].as_u64()), (202, Some(1)));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let asked = send(collector.address, "OPTIONS", "/assets/t", &[], b"").await;
    assert_eq!(asked.status, 204);
    assert_eq!(collector.get("/assets/t").await.status, 405);
    let metrics = collector.get("/metrics").await;
    assert!(metrics.text().contains(r#"way="events",status="202"} 1"#), "{}", metrics.text());
}
