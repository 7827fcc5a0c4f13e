//! What the collector finds out about an event, through its door: by the head of the request, the site's
//! settings and the operator's files.

use serde_json::{Value, json};
use store::site::{Site, SiteSettings};

use crate::http::{BROWSER, exchange, send};
use crate::stack::{Collector, NOW, Stack, batch, page_view, with};

const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
const BRANDS: &str = r#""Not/A)Brand";v="8", "Chromium";v="126", "Opera";v="112""#;
const ORIGIN: (&str, &str) = ("Origin", "https://shop.example");

/// Gives the site other settings and waits until the collector knows them: the old ones take any event,
/// the new ones none of the country that is excluded meanwhile.
async fn settle(stack: &Stack, settings: SiteSettings) {
    let origins = vec!["https://shop.example".parse().unwrap()];
    let exclude = vec!["user-agent=settled".parse().unwrap()];
    let site = Site {
        name: "shop".parse().unwrap(),
        settings: SiteSettings { origins, exclude, ..settings },
    };
    store::site::add(stack.database.server(), &site, NOW + 1).await.unwrap();
    crate::stack::eventually("the collector knows the settings", || async {
        let answer =
            stack.collector.post_as(&[("User-Agent", "settled")], &batch(&[page_view(0)])).await;
        answer.json()["accepted"] == 0
    })
    .await;
}

#[tokio::test]
async fn hints_name_the_browser_and_the_system_behind_the_user_agent() {
    let stack = Stack::up(&[]).await;
    let head = [
        ("User-Agent", CHROME),
        ("Sec-CH-UA", BRANDS),
        ("Sec-CH-UA-Mobile", "?0"),
        ("Sec-CH-UA-Platform", "\"Windows\""),
        ("Sec-CH-UA-Platform-Version", "\"15.0.0\""),
    ];
    stack.collector.post_as(&head, &batch(&[page_view(1)])).await;
    stack.collector.post_as(&[("User-Agent", CHROME)], &batch(&[page_view(2)])).await;
    let question =
        "SELECT browser, browser_version, os, os_version, device FROM events ORDER BY event_id";
    let rows: Vec<Value> = stack.stored(question).await;
    assert_eq!(
        rows,
        [
            json!({"browser": "Opera", "browser_version": "112", "os": "Windows", "os_version": "11", "device": "desktop"}),
            json!({"browser": "Chrome", "browser_version": "126.0.0.0", "os": "Windows", "os_version": "", "device": "desktop"}),
        ]
    );
}

#[tokio::test]
async fn a_head_that_no_browser_sends_is_a_bots() {
    let stack = Stack::up(&[]).await;
    let (accept, agent) = (("Accept", "*/*"), ("User-Agent", CHROME));
    let linux = [agent, accept, ("Sec-CH-UA", BRANDS), ("Sec-CH-UA-Platform", "\"Linux\"")];
    stack.collector.post_as(&linux, &batch(&[page_view(1)])).await;
    stack.collector.post_as(&[agent, ORIGIN], &batch(&[page_view(2)])).await;
    stack.collector.post_as(&[agent, ORIGIN, accept], &batch(&[page_view(3)])).await;
    // Who names no page is a server that passes the visitor's user agent on.
    stack.collector.post_as(&[agent], &batch(&[page_view(4)])).await;
    let question = "SELECT toUInt32(right(toString(event_id), 1)) AS n, bot_reason FROM
        (SELECT event_id, bot_reason FROM bot_events UNION ALL SELECT event_id, bot_reason FROM events) ORDER BY n";
    let rows: Vec<Value> = stack.stored(question).await;
    assert_eq!(
        rows,
        [
            json!({"n": 1, "bot_reason": "client_hints"}),
            json!({"n": 2, "bot_reason": "headers"}),
            json!({"n": 3, "bot_reason": ""}),
            json!({"n": 4, "bot_reason": ""}),
        ]
    );
}

/// A browser of the reference data whose user agent has letters beyond ASCII in it, as the app writes the
/// date in the reader's language.
#[tokio::test]
async fn a_user_agent_that_is_not_ascii_is_nobodys_sign_of_a_bot() {
    const FLIPBOARD: &str = "Mozilla/5.0 (Linux; Android 4.4.2; SM-G7102 Build/KOT49H) AppleWebKit/537.36 \
        (KHTML, like Gecko) Version/4.0 Chrome/30.0.0.0 Mobile Safari/537.36 Flipboard/2.2.9/2199,2.2.9.2199,\
        \u{d9}\u{a2}\u{d9} \u{d9}\u{a1}\u{d9}\u{a4}-\u{d9} \u{d9}\u{a4}-\u{d9} \u{d9}\u{a7} \u{d9}\u{a1}\u{d9}\u{a7}:\u{d9}\u{a2}\u{d9}\u{a7}, +\u{d9} \u{d9}\u{a2}";
    let stack = Stack::up(&[]).await;
    let page = [ORIGIN, ("Accept", "*/*"), ("User-Agent", FLIPBOARD)];
    stack.collector.post_as(&page, &batch(&[page_view(1)])).await;
    // Not even UTF-8, as a byte of another code is.
    let body = batch(&[page_view(2)]).to_string();
    let mut request = format!(
        "POST /v1/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept: */*\r\n\
         Origin: https://shop.example\r\nContent-Length: {}\r\nUser-Agent: {CHROME} Caf",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(b"\xe9/1.0\r\n\r\n");
    request.extend_from_slice(body.as_bytes());
    exchange(stack.collector.address, &request).await.unwrap();
    let question =
        "SELECT toUInt32(right(toString(event_id), 1)) AS n, browser, device, bot_reason FROM
        (SELECT * FROM bot_events UNION ALL SELECT * FROM events) ORDER BY n";
    let rows: Vec<Value> = stack.stored(question).await;
    let row = |n, browser: &str, device: &str| json!({"n": n, "browser": browser, "device": device, "bot_reason": ""});
    assert_eq!(rows, [row(1, "Flipboard", "mobile"), row(2, "Chrome", "desktop")]);
}

#[tokio::test]
async fn a_visitor_faster_than_any_human_is_a_bot_from_then_on() {
    let stack = Stack::up(&["--page-views-per-minute-max", "5"]).await;
    let page = [ORIGIN, ("Accept", "*/*"), ("User-Agent", BROWSER)];
    for number in 0..8 {
        stack.collector.post_as(&page, &batch(&[page_view(number)])).await;
    }
    // A server may send everybody's under one id.
    stack.collector.post(&batch(&[page_view(8)])).await;
    let other = "018f4d5e-0000-7000-8000-00000000000b";
    let slow = with(page_view(100), &json!({"visitor": other}));
    stack.collector.post_as(&page, &batch(&[slow])).await;
    let question = "SELECT bot_reason, toUInt32(count()) AS n FROM
        (SELECT bot_reason FROM bot_events UNION ALL SELECT bot_reason FROM events)
        GROUP BY bot_reason ORDER BY bot_reason";
    let rows: Vec<Value> = stack.stored(question).await;
    assert_eq!(rows, [json!({"bot_reason": "", "n": 7}), json!({"bot_reason": "rate", "n": 3})]);
}

#[tokio::test]
async fn a_place_is_believed_from_a_trusted_proxy_only() {
    let head = [("CF-IPCountry", "HR"), ("CF-Region", "Grad Zagreb"), ("CF-IPCity", "Zagreb")];
    let place = json!({"country": "HR", "region": "Grad Zagreb", "city": "Zagreb"});
    let nowhere = json!({"country": "", "region": "", "city": ""});
    for (proxy, expected) in [("loopback", place), ("192.0.2.1", nowhere)] {
        let stack = Stack::up(&["--trusted-proxy", proxy, "--place-headers", "cloudflare"]).await;
        stack.collector.post_as(&head, &batch(&[page_view(1)])).await;
        let rows: Vec<Value> = stack.stored("SELECT country, region, city FROM events").await;
        assert_eq!(rows, [expected], "{proxy}");
    }
}

#[tokio::test]
async fn the_sites_settings_hold() {
    let rates = tempfile::NamedTempFile::new().unwrap();
    // The day of NOW is 2027-01-15.
    std::fs::write(&rates, "Date,USD,JPY,\n2027-01-14,1.25,160.5,\n2026-12-01,1.1,150,\n").unwrap();
    let flags = ["--trusted-proxy", "loopback", "--place-headers", "country=X-Country,city=X-City"];
    let currency = ["--currency-file", rates.path().to_str().unwrap()];
    let stack = Stack::up(&[&flags[..], &currency].concat()).await;
    let settings = json!({
        "origins": [], "place": "country", "categories": ["/coffee/*=Drinks/Coffee"], "currency": "EUR",
    });
    settle(&stack, serde_json::from_value(settings).unwrap()).await;
    let bought = |number, properties: Value| {
        let url = "https://shop.example/coffee/beans";
        with(
            page_view(number),
            &json!({"type": "custom", "name": "purchase", "url": url, "properties": properties}),
        )
    };
    let events = [
        bought(1, json!({"value": 10.01, "currency": "USD"})),
        bought(2, json!({"revenue": "1605", "currency": "jpy"})),
        bought(3, json!({"total": 5, "currency": "XXX"})),
        bought(4, json!({"value": 5})),
        with(bought(5, json!({})), &json!({"categories": ["Sale"]})),
    ];
    let head = [("X-Country", "HR"), ("X-City", "Zagreb"), ("User-Agent", BROWSER)];
    stack.collector.post_as(&head, &batch(&events)).await;
    let question = "SELECT country, city, categories, toString(value) AS value, currency,
        toString(value_reporting) AS reporting, currency_reporting AS reported
        FROM events WHERE name = 'purchase' ORDER BY event_id";
    let rows: Vec<Value> = stack.stored(question).await;
    let row = |value: &str, currency: &str, reporting: &str, reported: &str| {
        json!({
            "country": "HR", "city": "", "categories": ["Drinks", "Drinks/Coffee"],
            "value": value, "currency": currency, "reporting": reporting, "reported": reported,
        })
    };
    let expected = [
        row("10.01", "USD", "8.008", "EUR"),
        row("1605", "JPY", "10", "EUR"),
        row("5", "XXX", "0", ""),
        row("0", "", "0", ""),
        with(row("0", "", "0", ""), &json!({"categories": ["Sale"]})),
    ];
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn an_id_that_stands_on_unpaid_links_too_does_not_outrank_the_page_before() {
    let stack = Stack::up(&[]).await;
    let visits = [
        ("fbclid=1", "https://l.instagram.com/"),
        ("fbclid=1", "https://news.example/"),
        ("epik=1", "https://www.google.com/"),
        ("fbclid=1&utm_campaign=spring", "https://l.instagram.com/"),
        ("fbclid=1", ""),
        ("fbclid=1", "https://shop.example/cart"),
        ("gclid=1", "https://news.example/"),
        ("fbclid=1&gclid=1", "https://news.example/"),
    ];
    let events: Vec<Value> = visits
        .iter()
        .zip(1..)
        .map(|((query, referrer), number)| {
            let url = format!("https://shop.example/?{query}");
            with(page_view(number), &json!({"url": url, "referrer": referrer}))
        })
        .collect();
    stack.collector.post(&batch(&events)).await;
    let question = "SELECT source, medium, channel, campaign FROM events ORDER BY event_id";
    let rows: Vec<Value> = stack.stored(question).await;
    let told = rows.iter().map(|row| {
        ["source", "medium", "channel", "campaign"].map(|name| row[name].as_str().unwrap())
    });
    let expected = [
        ["instagram", "social", "Organic Social", ""],
        ["news.example", "referral", "Referral", ""],
        ["google", "organic", "Organic Search", ""],
        ["instagram", "social", "Organic Social", "spring"],
        ["facebook", "social", "Organic Social", ""],
        ["facebook", "social", "Organic Social", ""],
        ["google", "cpc", "Paid Search", ""],
        ["google", "cpc", "Paid Search", ""],
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_click_is_kept_only_with_consent_for_ads() {
    let stack = Stack::up(&[]).await;
    let url = "https://shop.example/?gclid=Cj0K-x_1&utm_source=a";
    let events: Vec<Value> = ["granted", "denied", "unknown"]
        .iter()
        .zip(1..)
        .map(|(ads, number)| with(page_view(number), &json!({"url": url, "consent": {"ads": ads}})))
        .collect();
    stack.collector.post(&batch(&events)).await;
    let question = "SELECT click_id_kind, click_id, query FROM events ORDER BY event_id";
    let rows: Vec<Value> = stack.stored(question).await;
    let row = |kind: &str, id: &str| json!({"click_id_kind": kind, "click_id": id, "query": "utm_source=a"});
    assert_eq!(rows, [row("gclid", "Cj0K-x_1"), row("", ""), row("", "")]);
}

#[tokio::test]
async fn a_page_of_the_site_under_another_of_its_names_is_no_source() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = crate::stack::database().await;
    let settings = json!({
        "origins": ["https://www.shop.example", "https://shop.test"], "domains": ["shop.hr"],
    });
    let settings = serde_json::from_value(settings).unwrap();
    let site = Site { name: "shop".parse().unwrap(), settings };
    store::site::add(database.server(), &site, NOW + 1).await.unwrap();
    let collector = Collector::start(folder.path(), database.server(), &[]).await;
    let visits = [
        ("https://shop.test/cart", ""),
        ("https://www.shop.hr/cart", ""),
        ("https://shop.example/cart", ""),
        ("https://blog.shop.test/", "blog.shop.test"),
        ("https://myshop.test/", "myshop.test"),
        ("https://news.example/", "news.example"),
    ];
    let events: Vec<Value> = visits
        .iter()
        .zip(1..)
        .map(|((referrer, _), number)| {
            let url = "https://www.shop.example/pay";
            with(page_view(number), &json!({"url": url, "referrer": referrer}))
        })
        .collect();
    assert_eq!(collector.post(&batch(&events)).await.json()["accepted"], 6);
    collector.stop().await;
    let question = "SELECT source, channel FROM events ORDER BY event_id";
    let rows: Vec<Value> = crate::stack::rows(&database, question).await;
    let expected = visits.map(|(_, source)| {
        let channel = if source.is_empty() { "" } else { "Referral" };
        json!({"source": source, "channel": channel})
    });
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn a_picture_has_a_browsers_head_too() {
    let stack = Stack::up(&[]).await;
    let pixel = |number: u64| {
        format!(
            "/v1/pixel.gif?site=shop&visitor=018f4d5e-0000-7000-8000-{number:012x}&url=https://shop.example/"
        )
    };
    let page = ("Referer", "https://shop.example/");
    let address = stack.collector.address;
    let agent = ("User-Agent", BROWSER);
    send(address, "GET", &pixel(1), &[agent, page], b"").await;
    send(address, "GET", &pixel(2), &[agent, page, ("Accept", "image/avif,*/*")], b"").await;
    // A mail program's proxy names no page.
    send(address, "GET", &pixel(3), &[agent], b"").await;
    let question = "SELECT toUInt32(count()) AS n, any(bot_reason) AS reason FROM bot_events";
    let rows: Vec<Value> = stack.stored(question).await;
    assert_eq!(rows, [json!({"n": 1, "reason": "headers"})]);
}
