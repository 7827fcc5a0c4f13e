//! `GET /r/...`: redirect links.

use std::path::Path;

use collector::link::{Campaign, Link, LinkKey, Target};
use serde_json::{Value, json};

use crate::http::{Answer, BROWSER, send};
use crate::stack::{Stack, alone};

const CRAWLER: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

/// A link of the collector whose data folder this is.
pub(crate) fn link(data_dir: &Path, site: &str, name: &str) -> String {
    let campaign =
        Campaign { source: Some("news"), medium: Some("email"), campaign: Some("spring") };
    let target = Target::new("https://shop.example/sale?size=42").unwrap();
    let target = target.with_campaign(campaign).unwrap();
    let link = Link::new(site.parse().unwrap(), target, name).unwrap();
    link.path(&LinkKey::open(None, data_dir).unwrap())
}

const TARGET: &str =
    "https://shop.example/sale?size=42&utm_source=news&utm_medium=email&utm_campaign=spring";

#[track_caller]
pub(crate) fn leads_on(answer: &Answer) {
    assert_eq!((answer.status, answer.header("location")), (302, Some(TARGET)));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("referrer-policy"), Some("strict-origin-when-cross-origin"));
}

#[tokio::test]
async fn who_follows_a_link_is_led_on_and_counted_and_a_program_apart() {
    let stack = Stack::up(&[]).await;
    let path = link(stack.data_dir.path(), "shop", "newsletter 7");
    let address = stack.collector.address;
    let mail = [("Referer", "https://mail.example/inbox?id=7")];
    leads_on(&send(address, "GET", &path, &mail, b"").await);
    leads_on(&send(address, "GET", &path, &[("User-Agent", CRAWLER)], b"").await);
    // Who only looks ahead has not clicked.
    leads_on(&send(address, "HEAD", &path, &[], b"").await);
    leads_on(&send(address, "GET", &path, &[("Sec-Purpose", "prefetch;prerender")], b"").await);
    let question =
        "SELECT kind, name, host, path, source, medium, channel, campaign, properties, bot_reason
        FROM (SELECT * FROM events UNION ALL SELECT * FROM bot_events) ORDER BY bot_reason";
    let rows: Vec<Value> = stack.stored(question).await;
    let row = |bot: &str| {
        json!({
            "kind": "custom", "name": "link_clicked", "host": "shop.example", "path": "/sale",
            "source": "news", "medium": "email", "channel": "Email", "campaign": "spring",
            "properties": {"link": "newsletter 7"}, "bot_reason": bot,
        })
    };
    assert_eq!(rows, [row(""), row("user_agent")]);
}

#[tokio::test]
async fn what_is_not_signed_leads_nowhere_and_says_so() {
    let (collector, dir) = alone(&[]).await;
    let good = link(dir.path(), "shop", "mail");
    let signature = good.split(['/', '?']).nth(3).unwrap().to_owned();
    let evil = [
        good.replace("shop.example", "evil.example"),
        good.replace("name=mail", "name=m"),
        good.replace("/r/shop", "/r/blog"),
        good.replace(&signature, ""),
        good.replace(&signature, "AA"),
        format!("/r/shop/{signature}?to=//evil.example"),
        format!("/r/shop/{signature}?to=javascript:alert(1)"),
        format!("/r/shop/{signature}?to=https:%5C%5Cevil.example"),
        format!("/r/shop/{signature}?to=https://shop.example%5C@evil.example/"),
        format!("/r/shop/{signature}?to=https://shop.example@evil.example/"),
        format!(
            "/r/shop/{signature}?to=https://shop.example/%0D%0ALocation:%20https://evil.example"
        ),
        format!("/r/shop/{signature}?to=https://evil.example/&{}", good.split_once('?').unwrap().1),
        "/r/https://evil.example/".to_owned(),
        "/r///evil.example".to_owned(),
        "/r/".to_owned(),
    ];
    for path in &evil {
        let answer = collector.get(path).await;
        assert_eq!((answer.status, answer.header("location")), (403, None), "{path}");
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
        let page = answer.text();
        assert!(page.contains("This link does not work") && !page.contains("evil"), "{page}");
    }
    let metrics = collector.get("/metrics").await;
    let line =
        format!("collector_requests_rejected_total{{reason=\"link_not_signed\"}} {}\n", evil.len());
    assert!(metrics.text().contains(&line), "{line}");
    let answer = send(collector.address, "POST", &good, &[], b"").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")));
}

#[tokio::test]
async fn a_visitor_is_led_on_whatever_becomes_of_the_event() {
    let (collector, dir) = alone(&[]).await;
    let get = async |site: &str, agent: &str| {
        let path = link(dir.path(), site, "");
        send(collector.address, "GET", &path, &[("User-Agent", agent)], b"").await
    };
    // A site that this collector does not know, yet or any more.
    leads_on(&get("blog", BROWSER).await);
    let excluded = get("shop", "uptime/1.0").await;
    leads_on(&excluded);
    assert_eq!(excluded.header("x-footfall-dropped"), Some("excluded_user_agent"));
    // The folder is gone from under the spool: no row can be written.
    std::fs::remove_dir_all(dir.path().join("spool")).unwrap();
    leads_on(&get("shop", BROWSER).await);
    let metrics = collector.get("/metrics").await;
    for (tag, count) in [("site_unknown", 1), ("spool_unwritable", 1)] {
        let line = format!("collector_requests_rejected_total{{reason=\"{tag}\"}} {count}\n");
        assert!(metrics.text().contains(&line), "{line}");
    }
}
