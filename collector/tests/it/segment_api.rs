//! What real SDKs of others sent once, replayed: `sdk-requests` of the reference data.

use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::http::{Answer, BROWSER, send};
use crate::stack::{Stack, alone, with};

/// The folder of captured requests; `None`, said aloud, where nobody named it and it is absent.
fn captured(test: &str, file: &str) -> Option<Value> {
    let named = std::env::var_os("FOOTFALL_REFERENCE_DATA").map(PathBuf::from);
    let beside = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let data = named.clone().unwrap_or(beside);
    if !data.is_dir() {
        assert!(named.is_none(), "FOOTFALL_REFERENCE_DATA is no folder: {}", data.display());
        #[expect(clippy::print_stderr, reason = "a test that was not run says so")]
        {
            eprintln!("segment_api::{test}: not run, the folder of real data is absent");
        }
        return None;
    }
    let text = std::fs::read_to_string(data.join("sdk-requests").join(file)).unwrap();
    // Captured 54 days before the day at which tests happen, and older than 30 days is not taken.
    let text = text.replace("2026-11-22T", "2027-01-14T").replace("V1JJVEVLRVk6", "c2hvcDo=");
    Some(serde_json::from_str(&text.replace("WRITEKEY", "shop")).unwrap())
}

/// Sends a captured request as it was, compressed where it was.
async fn replay(stack: &Stack, request: &Value) -> Answer {
    let mut body = request["body"].to_string().into_bytes();
    if request["gzip_body"] == true {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&body).unwrap();
        body = encoder.finish().unwrap();
    }
    let headers = request["headers"].as_object().unwrap();
    let headers: Vec<_> = headers
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "host" | "connection" | "content-length"))
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    let path = request["url"].as_str().unwrap();
    send(stack.collector.address, "POST", path, &headers, &body).await
}

#[tokio::test]
async fn what_node_sdks_sent_is_stored_once_however_often_it_is_sent() {
    let test = "what_node_sdks_sent_is_stored_once_however_often_it_is_sent";
    let Some(captured) = captured(test, "captured_node.json") else { return };
    let stack = Stack::up(&[]).await;
    for _ in 0..2 {
        for sdk in ["segment-analytics-node", "rudder-sdk-node"] {
            for request in captured[sdk].as_array().unwrap() {
                let answer = replay(&stack, request).await;
                let sent = request["body"]["batch"].as_array().unwrap().len();
                let expected = json!({"success": true, "accepted": sent, "dropped": []});
                assert_eq!((answer.status, answer.json()), (200, expected));
                assert_eq!(answer.header("x-footfall-dropped"), None);
            }
        }
    }
    let question = "SELECT kind, name, user_id, host, source, properties FROM events FINAL
        ORDER BY occurred_at, name";
    let rows: Vec<Value> = stack.stored(question).await;
    let told: Vec<_> = rows
        .iter()
        .map(|row| ["kind", "name", "user_id"].map(|column| row[column].as_str().unwrap()))
        .collect();
    let of_both = |name: &str| told.iter().filter(|row| row[1] == name).count();
    assert_eq!(told.len(), 12, "{told:?}");
    for name in ["identify", "Order Completed", "group", "alias", "screen"] {
        assert_eq!(of_both(name), 2, "{name}");
    }
    // One had its page's address, the other had none.
    assert_eq!((of_both("page_view"), of_both("page")), (1, 1));
    let page = rows.iter().find(|row| row["name"] == "page_view").unwrap();
    assert_eq!((&page["host"], &page["source"]), (&json!("shop.example"), &json!("google")));
    let order = rows.iter().find(|row| row["properties"]["order_id"] == "o1").unwrap();
    assert_eq!(
        (&order["properties"]["revenue"], &order["user_id"]),
        (&json!("39.95"), &json!("u1"))
    );
}

#[tokio::test]
async fn what_the_browser_sdk_sent_is_stored_and_its_person_only_hashed() {
    let test = "what_the_browser_sdk_sent_is_stored_and_its_person_only_hashed";
    let Some(captured) = captured(test, "captured_browser_analytics_next.json") else { return };
    // It was captured without a browser, and a program's events would be set apart.
    let browser = format!(r#""user-agent":"{BROWSER}""#);
    let captured = captured.to_string().replace(r#""user-agent":"node""#, &browser);
    let captured: Value = serde_json::from_str(&captured).unwrap();
    let stack = Stack::up(&[]).await;
    for request in captured.as_array().unwrap() {
        let answer = replay(&stack, request).await;
        let expected = json!({"success": true, "accepted": 1, "dropped": []});
        assert_eq!((answer.status, answer.json()), (200, expected));
    }
    let question =
        "SELECT e.name AS name, visitor_id, user_id, path, query, channel, campaign, language,
            categories, properties, ids.kinds AS kinds
        FROM events AS e LEFT JOIN (SELECT visitor_id, arraySort(groupArray(kind)) AS kinds
            FROM identifiers GROUP BY visitor_id) AS ids USING visitor_id ORDER BY occurred_at";
    let rows: Vec<Value> = stack.stored(question).await;
    let names: Vec<_> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["page_view", "Product Viewed", "identify"]);
    for row in &rows {
        assert_eq!(row["visitor_id"], "5b2aeb8c-5026-4504-b40a-b1c0c423627f");
        assert_eq!((&row["path"], &row["channel"]), (&json!("/products"), &json!("Paid Search")));
        assert_eq!((&row["campaign"], &row["language"]), (&json!("spring"), &json!("en-US")));
        assert_eq!(row["kinds"], json!(["email_google", "email_meta"]));
        assert!(!row.to_string().contains("a@example.com"), "{row}");
        assert!(!row.to_string().contains("gclid"), "{row}");
    }
    assert_eq!(rows[1]["categories"], json!(["Shoes"]));
    assert_eq!(rows[2]["user_id"], "u1");
}

#[tokio::test]
async fn refusals_and_left_out_events_are_told_as_by_our_own_wire() {
    let (collector, _dir) = alone(&[]).await;
    let post = async |headers: &[(&str, &str)], body: Value| {
        send(collector.address, "POST", "/v1/batch/", headers, body.to_string().as_bytes()).await
    };
    let tag = |answer: &Answer| answer.json()["error"]["tag"].as_str().unwrap().to_owned();
    let answer = post(&[], json!({"batch": []})).await;
    assert_eq!((answer.status, tag(&answer)), (400, "key_missing".to_owned()));
    let answer = post(&[], json!({"batch": [], "writeKey": "nobody"})).await;
    assert_eq!((answer.status, tag(&answer)), (403, "site_unknown".to_owned()));
    let shop = |batch: Value| json!({"batch": batch, "writeKey": "shop"});
    let answer = post(&[("Origin", "https://evil.example")], shop(json!([]))).await;
    assert_eq!((answer.status, tag(&answer)), (403, "origin_not_allowed".to_owned()));

    let bad = json!([
        {"type": "track", "messageId": "m1", "userId": "u1"},
        {"type": "teleport", "messageId": "m2", "userId": "u1"},
        {"type": "track", "event": "x", "messageId": "m3"},
    ]);
    let answer = post(&[], shop(bad)).await;
    let told = answer.json();
    assert_eq!(
        (answer.status, &told["success"], &told["accepted"]),
        (200, &json!(true), &json!(0))
    );
    let reasons: Vec<_> = told["dropped"]
        .as_array()
        .unwrap()
        .iter()
        .map(|dropped| ["id", "reason"].map(|field| dropped[field].as_str().unwrap()))
        .collect();
    assert_eq!(
        reasons,
        [["m1", "name_missing"], ["m2", "type_unknown"], ["m3", "visitor_missing"]]
    );
    let named = answer.header("x-footfall-dropped");
    assert_eq!(named, Some("name_missing, type_unknown, visitor_missing"));
}

#[tokio::test]
async fn an_identify_of_a_visitor_without_an_id_of_the_persons_is_kept() {
    const ANONYMOUS: &str = "5b2aeb8c-5026-4504-b40a-b1c0c423627f";
    let stack = Stack::up(&[]).await;
    let identify = json!({
        "type": "identify", "messageId": "m1", "anonymousId": ANONYMOUS, "traits": {"email": "a@example.com"},
    });
    let nobody =
        json!({"type": "identify", "messageId": "m2", "traits": {"email": "b@example.com"}});
    // One that is no message comes first, and the rest is taken as it would be without it.
    let sent = json!({"writeKey": "shop", "batch": [7, identify, nobody]}).to_string();
    let answer = send(stack.collector.address, "POST", "/v1/batch", &[], sent.as_bytes()).await;
    let told = answer.json();
    assert_eq!((answer.status, &told["accepted"]), (200, &json!(1)), "{told}");
    assert_eq!(told["dropped"][1]["reason"], "visitor_missing");
    let question = "SELECT e.kind AS kind, toString(visitor_id) AS visitor, e.user_id AS user, ids.kinds AS kinds
        FROM events AS e LEFT JOIN (SELECT visitor_id, arraySort(groupArray(kind)) AS kinds
            FROM identifiers WHERE user_id = '' GROUP BY visitor_id) AS ids USING visitor_id";
    let rows: Vec<Value> = stack.stored(question).await;
    let expected = json!({
        "kind": "identify", "visitor": ANONYMOUS, "user": "", "kinds": ["email_google", "email_meta"],
    });
    assert_eq!(rows, [expected]);
}

#[tokio::test]
async fn a_browser_may_ask_with_the_headers_of_these_sdks() {
    let (collector, _dir) = alone(&[]).await;
    let answer = send(collector.address, "OPTIONS", "/v1/t", &[], b"").await;
    assert_eq!(answer.status, 204);
    let allowed = answer.header("access-control-allow-headers").unwrap();
    // RudderStack's adds to what it tries again `Rsa-Retry-Attempt` and others.
    for name in ["authorization", "content-type", "x-retry-count", "anonymousid", "sentat", "*"] {
        assert!(allowed.split(", ").any(|known| known == name), "{allowed}");
    }
    let answer = collector.get("/v1/batch").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST, OPTIONS")));
}

#[tokio::test]
async fn every_address_takes_its_message_long_or_short_with_or_without_a_slash() {
    let stack = Stack::up(&[]).await;
    let address = stack.collector.address;
    let calls = [
        ("track", "t", json!({"event": "x"})),
        ("identify", "i", json!({"traits": {"email": "ana@shop.example"}})),
        ("page", "p", json!({"properties": {"url": "https://shop.example/"}})),
        ("screen", "s", json!({"name": "Cart"})),
        ("group", "g", json!({"groupId": "g1"})),
        ("alias", "a", json!({"previousId": "u0"})),
    ];
    let mut number = 0;
    for (long, short, fields) in calls {
        for path in [
            format!("/v1/{long}"),
            format!("/v1/{short}"),
            format!("/v1/{long}/"),
            format!("/v1/{short}/"),
        ] {
            number += 1;
            // By the address and not by what the message says of itself; the key once so, once so.
            let mut message = with(
                fields.clone(),
                &json!({"userId": "u1", "messageId": format!("m{number}"), "type": "teleport"}),
            );
            let basic = [("Authorization", "Basic c2hvcDo=")];
            let headers: &[_] = if number % 2 == 0 { &basic } else { &[] };
            if headers.is_empty() {
                message["writeKey"] = json!("shop");
            }
            let sent = message.to_string();
            let answer = send(address, "POST", &path, headers, sent.as_bytes()).await;
            let expected = json!({"success": true, "accepted": 1, "dropped": []});
            assert_eq!((answer.status, answer.json()), (200, expected), "{path}");
            // In a batch the same message is what it says.
            let batch =
                json!({"batch": [with(message, &json!({"type": long}))], "writeKey": "shop"});
            for path in ["/v1/batch", "/v1/b/"] {
                let answer = send(address, "POST", path, &[], batch.to_string().as_bytes()).await;
                assert_eq!((answer.status, &answer.json()["accepted"]), (200, &json!(1)), "{path}");
            }
        }
    }
    let question = "SELECT name, count() AS events FROM events FINAL GROUP BY name ORDER BY name
        SETTINGS output_format_json_quote_64bit_integers = 0";
    let rows: Vec<Value> = stack.stored(question).await;
    let names: Vec<_> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["alias", "group", "identify", "page_view", "screen", "x"]);
    assert!(rows.iter().all(|row| row["events"] == 4), "{rows:?}");
}
