//! What lies in ClickHouse of what was sent.

use serde_json::{Value, json};

use crate::stack::{NOW, Stack, VISITOR, batch, files, page_view, with};

const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";

#[tokio::test]
async fn an_event_is_stored_with_all_that_is_known_of_it() {
    let stack = Stack::up(&[]).await;
    let event = with(
        page_view(1),
        &json!({
            "url": "https://Shop.example/shoes?token=1&q=red&utm_source=google&utm_medium=cpc&utm_campaign=spring",
            "referrer": "https://www.google.com/search?q=me%40example.com",
            "title": "Shoes", "user": "u1", "categories": ["Shoes", "Shoes/Running"],
            "consent": {"analytics": "granted", "ads": "denied"},
            "properties": {"price": 9.50, "size": {"eu": 42}},
        }),
    );
    let sent =
        with(batch(&[event]), &json!({"context": {"language": "hr-HR", "screen_width": 390}}));
    let answer = stack.collector.post_as(&[("User-Agent", CHROME)], &sent).await;
    assert_eq!(answer.json(), json!({"accepted": 1, "dropped": []}));
    let rows: Vec<Value> = stack.stored("SELECT * FROM events").await;
    let expected = json!({
        "site": "shop", "event_id": "018f4d5e-0000-7000-8000-000000000001", "kind": "page_view", "name": "page_view",
        "occurred_at": "2027-01-15 08:00:00.000", "received_at": "2027-01-15 08:00:00.000",
        "visitor_id": VISITOR, "session_id": VISITOR, "user_id": "u1",
        "host": "shop.example", "path": "/shoes",
        "query": "q=red&utm_source=google&utm_medium=cpc&utm_campaign=spring",
        "title": "Shoes", "categories": ["Shoes", "Shoes/Running"], "funnel": "", "step": "",
        "referrer": "https://www.google.com/search",
        "source": "google", "medium": "cpc", "channel": "Paid Search", "campaign": "spring", "term": "", "content": "",
        "country": "", "region": "", "city": "",
        "device": "desktop", "browser": "Chrome", "browser_version": "126.0.0.0", "os": "Windows",
        "language": "hr-HR", "screen_width": 390,
        "consent_analytics": "granted", "consent_personalization": "unknown", "consent_ads": "denied",
        "properties": {"price": "9.5", "size.eu": "42"}, "bot_reason": "",
    });
    let unknown = json!({
        "os_version": "", "value": 0, "currency": "", "value_reporting": 0, "currency_reporting": "",
        "click_id_kind": "", "click_id": "",
    });
    assert_eq!(rows, [with(expected, &unknown)]);
}

#[tokio::test]
async fn steps_and_custom_events_are_stored_by_their_names() {
    let stack = Stack::up(&[]).await;
    let step = with(
        page_view(1),
        &json!({"type": "step", "funnel": "checkout", "step": "shipping", "url": null}),
    );
    let custom =
        with(page_view(2), &json!({"type": "custom", "name": "add_to_cart", "session": null}));
    stack.collector.post(&batch(&[step, custom])).await;
    let question = "SELECT kind, name, funnel, step, source FROM events ORDER BY event_id";
    let rows: Vec<Value> = stack.stored(question).await;
    assert_eq!(
        rows,
        [
            json!({"kind": "step", "name": "checkout/shipping", "funnel": "checkout", "step": "shipping", "source": ""}),
            json!({"kind": "custom", "name": "add_to_cart", "funnel": "", "step": "", "source": "(direct)"}),
        ]
    );
}

#[tokio::test]
async fn programs_are_set_apart_with_the_layer_that_told_them() {
    let stack = Stack::up(&[]).await;
    let googlebot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
    stack.collector.post_as(&[("User-Agent", googlebot)], &batch(&[page_view(1)])).await;
    let driven = with(batch(&[page_view(2)]), &json!({"context": {"webdriver": true}}));
    stack.collector.post_as(&[("User-Agent", CHROME)], &driven).await;
    stack.collector.post_as(&[("User-Agent", CHROME)], &batch(&[page_view(3)])).await;
    stack.collector.post_as(&[("User-Agent", "")], &batch(&[page_view(4)])).await;
    // A server's own event: a library sends it, and there is no page.
    let paid = with(page_view(5), &json!({"type": "custom", "name": "paid", "url": null}));
    stack.collector.post_as(&[("User-Agent", "python-requests/2.32")], &batch(&[paid])).await;
    let question = "SELECT bot_reason, count() AS n FROM (SELECT bot_reason FROM bot_events UNION ALL SELECT bot_reason FROM events)
        GROUP BY bot_reason ORDER BY bot_reason SETTINGS output_format_json_quote_64bit_integers = 0";
    let rows: Vec<Value> = stack.stored(question).await;
    assert_eq!(
        rows,
        [
            json!({"bot_reason": "", "n": 2}),
            json!({"bot_reason": "no_user_agent", "n": 1}),
            json!({"bot_reason": "user_agent", "n": 1}),
            json!({"bot_reason": "webdriver", "n": 1}),
        ]
    );
}

#[tokio::test]
async fn of_a_person_only_hashes_are_stored_and_nothing_raw_touches_the_disk() {
    let stack = Stack::up(&["--flush-age", "1h"]).await;
    let traits = json!({"email": "Ana.Horvat@Example.com", "phone": "+385 91 234 5678", "plan": "gold-secret"});
    let identify =
        with(page_view(1), &json!({"type": "identify", "user": "u1", "properties": traits}));
    let sent = with(identify, &json!({"consent": {"ads": "granted"}}));
    assert_eq!(stack.collector.post(&batch(&[sent])).await.json()["accepted"], 1);
    let spooled: Vec<u8> =
        files(stack.data_dir.path()).iter().flat_map(|file| std::fs::read(file).unwrap()).collect();
    let spooled = String::from_utf8_lossy(&spooled).to_lowercase();
    assert!(spooled.contains("email_google"), "the identifiers are not in the spool");
    for raw in ["horvat", "234 5678", "2345678", "gold-secret"] {
        assert!(!spooled.contains(raw), "{raw} is on the disk");
    }
    let database = stack.stored::<Value>("SELECT kind, user_id, consent_ads, toString(value) AS value FROM identifiers ORDER BY kind");
    let rows = database.await;
    let kinds: Vec<_> = rows.iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["email_google", "email_meta", "phone", "phone_meta"]);
    // echo -n ana.horvat@example.com | sha256sum
    assert_eq!(
        rows[1]["value"],
        "eced5d3511ca4288af3b538727c598f3d92ee556792f6f814fee7eec7f27819e"
    );
    // echo -n +385912345678 | sha256sum, and the same without the plus
    let phones = [&rows[2]["value"], &rows[3]["value"]];
    assert_eq!(
        phones,
        [
            "1b66fb8b83a3f33d321d42cad351086c6a42d025cb3e4a104dd8cb6257b69106",
            "4f6b5ffaf51c2436292026df3dfd591b5cfb0f094a13800eb4d8f8d17242e94f"
        ]
    );
    assert_eq!((&rows[0]["user_id"], &rows[0]["consent_ads"]), (&json!("u1"), &json!("granted")));
}

#[tokio::test]
async fn the_table_tells_what_an_identifier_can_be() {
    let stack = Stack::up(&[]).await;
    let comment = "SELECT comment FROM system.columns
        WHERE database = currentDatabase() AND table = 'identifiers' AND name = 'kind'";
    let rows: Vec<Value> = stack.stored(comment).await;
    let comment = rows[0]["comment"].as_str().unwrap();
    let words: Vec<_> =
        comment.split(|letter: char| !letter.is_alphanumeric() && letter != '_').collect();
    for kind in identifier::Kind::ALL.map(identifier::Kind::as_str) {
        assert!(words.contains(&kind), "{kind} is not in {comment}");
    }
}

#[tokio::test]
async fn a_wrong_clock_is_put_right() {
    let stack = Stack::up(&[]).await;
    let ahead = 2 * 60 * 60 * 1000;
    let event = with(page_view(1), &json!({"at": NOW + ahead - 5000}));
    stack.collector.post(&with(batch(&[event]), &json!({"sent_at": NOW + ahead}))).await;
    let rows: Vec<Value> = stack.stored("SELECT occurred_at FROM events").await;
    assert_eq!(rows, [json!({"occurred_at": "2027-01-15 07:59:55.000"})]);
}

#[tokio::test]
async fn places_come_from_the_forwarded_address_of_a_trusted_proxy_only() {
    let named = std::env::var_os("FOOTFALL_REFERENCE_DATA").map(std::path::PathBuf::from);
    let beside = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let data = named.clone().unwrap_or(beside);
    if !data.is_dir() {
        assert!(named.is_none(), "FOOTFALL_REFERENCE_DATA is no folder: {}", data.display());
        #[expect(clippy::print_stderr, reason = "a test that was not run says so")]
        {
            eprintln!(
                "stored::places_come_from_the_forwarded_address_of_a_trusted_proxy_only: not run, \
                 the folder of real data is absent (FOOTFALL_REFERENCE_DATA)"
            );
        }
        return;
    }
    let file = data.join("geo/test-data/GeoLite2-City-Test.mmdb");
    let flags = ["--geo-file", "no-such.mmdb", "--geo-file", file.to_str().unwrap()];
    for (trusted, expected) in [(&["--trusted-proxy", "127.0.0.1"][..], "GB"), (&[], "")] {
        let stack = Stack::up(&[&flags[..], trusted].concat()).await;
        stack
            .collector
            .post_as(&[("X-Forwarded-For", "81.2.69.142")], &batch(&[page_view(1)]))
            .await;
        let rows: Vec<Value> = stack.stored("SELECT country FROM events").await;
        assert_eq!(rows, [json!({"country": expected})]);
    }
}

#[tokio::test]
async fn of_an_address_in_a_propertys_name_or_across_a_limit_nothing_is_stored() {
    let stack = Stack::up(&[]).await;
    // The limit falls into the address, wherever it stands.
    let across = |limit: usize, text: &str| format!("{} {text}", "x".repeat(limit - 9));
    let address = "ana.horvat@shop.example";
    let url = format!("https://shop.example/{}", "x".repeat(2048 - 21 - 3 - 8));
    let event = with(
        page_view(1),
        &json!({
            "url": format!("{url}?q=ana.horvat%40shop.example"),
            "title": across(256, address),
            "categories": [across(256, address)],
            "properties": {
                "ana.horvat@shop.example": true,
                "note": across(1024, address),
                "card": across(1024, "4111 1111 1111 1111"),
                "mail to ivo@shop.example": {"x": 1},
            },
        }),
    );
    let campaign = format!("?utm_campaign={}", across(256, address).replace(' ', "+"));
    let other = with(page_view(2), &json!({"url": format!("https://shop.example/{campaign}")}));
    assert_eq!(stack.collector.post(&batch(&[event, other])).await.json()["accepted"], 2);
    let rows: Vec<Value> = stack.stored("SELECT * FROM events ORDER BY event_id").await;
    for row in &rows {
        let text = row.to_string();
        for part in ["ana.", "horv", "ivo@", "4111"] {
            assert!(!text.contains(part), "{part} in {text}");
        }
    }
    assert_eq!(rows[0]["properties"]["[email]"], "true");
    assert_eq!(rows[0]["properties"]["mail to [email]"], "1");
    assert!(rows[0]["title"].as_str().unwrap().starts_with("xxx"), "the rest of it stays");
}

#[tokio::test]
async fn addresses_and_cards_in_texts_are_not_stored() {
    let stack = Stack::up(&[]).await;
    let event = with(
        page_view(1),
        &json!({
            "url": "https://shop.example/reset/ana@shop.example?q=ana%40shop.example",
            "referrer": "https://shop.example/u/ana@shop.example",
            "title": "4111 1111 1111 1111",
            "properties": {"note": "ana@shop.example"},
        }),
    );
    assert_eq!(stack.collector.post(&batch(&[event])).await.status, 202);
    let metrics = stack.collector.get("/metrics").await.text().to_owned();
    assert!(metrics.contains("collector_texts_scrubbed_total{kind=\"email\"} 4\n"), "{metrics}");
    assert!(metrics.contains("collector_texts_scrubbed_total{kind=\"card\"} 1\n"), "{metrics}");
    let question = "SELECT path, query, referrer, title, properties['note'] AS note FROM events";
    let found: Vec<Value> = stack.stored(question).await;
    let expected = json!({
        "path": "/reset/[email]", "query": "q=[email]", "title": "[card]", "note": "[email]",
        "referrer": "https://shop.example/u/[email]",
    });
    assert_eq!(found, [expected]);
}
