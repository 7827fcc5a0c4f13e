//! Funnels of a few visitors.

use std::time::Duration;

use analytics::funnel::{By, Funnel, STEPS_MAX};
use analytics::query::{AskError, Filter, Range};
use store::testing::{TestDatabase, insert, visitor};

use crate::{at, database, site};

fn funnel(steps: &[&str], window: &str, by: By) -> Funnel {
    Funnel {
        site: site("shop"),
        steps: steps.iter().map(|step| step.parse().unwrap()).collect(),
        window: window.parse().unwrap(),
        by,
        range: Range::ALL,
        filter: Filter::default(),
    }
}

async fn counts(database: &TestDatabase, funnel: &Funnel) -> Vec<u64> {
    let report = funnel.ask(database.server()).await.unwrap();
    report.steps.iter().map(|step| step.count).collect()
}

const CHECKOUT: [&str; 3] = ["page_view where path = \"/cart\"", "checkout/shipping", "purchase"];

#[tokio::test]
async fn counts_who_goes_how_far() {
    let buys =
        visitor("ada").views("/").views("/cart").steps("checkout", "shipping").does("purchase");
    let leaves = visitor("ben").views("/cart").views("/").steps("checkout", "shipping");
    let backwards = visitor("cyd").does("purchase").steps("checkout", "shipping").views("/cart");
    let elsewhere = visitor("dan").site("other").views("/cart");
    let database = database([buys, leaves, backwards, elsewhere]).await;
    let report = funnel(&CHECKOUT, "1d", By::Visitor).ask(database.server()).await.unwrap();
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "site": "shop", "window": "1d", "by": "visitor", "range": { "from": null, "to": null },
            "steps": [
                { "name": "page_view where path = \"/cart\"", "count": 3, "dropped": 0, "conversion": 1.0, "conversion_total": 1.0 },
                { "name": "checkout/shipping", "count": 2, "dropped": 1, "conversion": 2.0 / 3.0, "conversion_total": 2.0 / 3.0 },
                { "name": "purchase", "count": 1, "dropped": 1, "conversion": 0.5, "conversion_total": 1.0 / 3.0 },
            ],
        })
    );
    let table = report.table();
    assert_eq!(table.columns, ["name", "count", "dropped", "conversion", "conversion_total"]);
    assert_eq!(table.rows[1], ["checkout/shipping", "2", "1", "0.6667", "0.6667"]);
}

#[tokio::test]
async fn the_window_is_exact_to_the_millisecond() {
    let within = visitor("ada").does("a").after(Duration::from_millis(59_000)).does("b");
    let beyond = visitor("ben").does("a").after(Duration::from_millis(59_001)).does("b");
    let starts_again =
        visitor("cyd").does("a").after(Duration::from_secs(3600)).does("a").does("b");
    let database = database([within, beyond, starts_again]).await;
    assert_eq!(counts(&database, &funnel(&["a", "b"], "60s", By::Visitor)).await, [3, 2]);
    assert_eq!(counts(&database, &funnel(&["a", "b"], "none", By::Visitor)).await, [3, 3]);
}

#[tokio::test]
async fn one_event_is_one_step() {
    let once = visitor("ada").views("/");
    let twice = visitor("ben").views("/").views("/p/1");
    let database = database([once, twice]).await;
    let asked = funnel(&["page_view", "page_view"], "none", By::Visitor);
    assert_eq!(counts(&database, &asked).await, [2, 1]);
    let asked = funnel(&["page_view where path = \"/\"", "any"], "none", By::Visitor);
    assert_eq!(counts(&database, &asked).await, [2, 1]);
    assert_eq!(counts(&database, &funnel(&["page_view"], "none", By::Visitor)).await, [2]);
}

#[tokio::test]
async fn counts_visitors_sessions_or_known_ids() {
    let one_session = visitor("ada").does("a").does("b");
    let two_sessions = visitor("ben").session("1").does("a").session("2").does("b");
    let phone = visitor("cyd").user("u-1").does("a");
    let desktop = visitor("dan").at("2026-01-01T01:00:00Z").user("u-1").does("b");
    let database = database([one_session, two_sessions, phone, desktop]).await;
    assert_eq!(counts(&database, &funnel(&["a", "b"], "none", By::Visitor)).await, [3, 2]);
    assert_eq!(counts(&database, &funnel(&["a", "b"], "none", By::Session)).await, [3, 1]);
    assert_eq!(counts(&database, &funnel(&["a", "b"], "none", By::User)).await, [1, 1]);
}

#[tokio::test]
async fn sees_only_its_range_and_filter() {
    let old = visitor("ada").device("mobile").at("2026-01-01T00:00:00Z").does("a").does("b");
    let new = visitor("ben").device("desktop").at("2026-02-01T00:00:00Z").does("a").does("b");
    let database = database([old, new]).await;
    let mut asked = funnel(&["a", "b"], "none", By::Visitor);
    asked.range =
        Range { from: Some(at("2026-01-01T00:00:00Z")), to: Some(at("2026-01-01T00:00:01Z")) };
    assert_eq!(counts(&database, &asked).await, [1, 0]);
    asked.range = Range::ALL;
    asked.filter = "device = \"desktop\"".parse().unwrap();
    assert_eq!(counts(&database, &asked).await, [1, 1]);
}

#[tokio::test]
async fn a_retried_event_counts_once() {
    let visit = visitor("ada").does("a").rows();
    let database = database([visit.clone()]).await;
    insert(database.server(), &visit).await;
    assert_eq!(counts(&database, &funnel(&["a", "a"], "none", By::Visitor)).await, [1, 0]);
}

#[tokio::test]
async fn nobody_is_zeros() {
    let database = TestDatabase::create().await;
    let report = funnel(&["a", "b"], "30m", By::Visitor).ask(database.server()).await.unwrap();
    assert!(report.steps.iter().all(|step| step.count == 0 && step.conversion_total == 0.0));
}

#[tokio::test]
async fn takes_as_many_steps_as_it_says() {
    let mut visit = visitor("ada");
    for step in 0..STEPS_MAX {
        visit = visit.does(&format!("s{step}"));
    }
    let database = database([visit]).await;
    let names: Vec<String> = (0..=STEPS_MAX).map(|step| format!("s{step}")).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    let refused = funnel(&names, "none", By::Visitor).ask(database.server()).await;
    assert!(matches!(refused, Err(AskError::Steps { steps: 33, .. })));
    let refused = funnel(&[], "none", By::Visitor).ask(database.server()).await;
    assert!(matches!(refused, Err(AskError::Steps { steps: 0, .. })));
    names.pop();
    assert_eq!(counts(&database, &funnel(&names, "none", By::Visitor)).await, [1; STEPS_MAX]);
}

#[tokio::test]
async fn hostile_names_are_only_names() {
    let name = "a'); DROP TABLE events; -- ? \\ ` {x:String} \n\t\r\0é🦊";
    let database = database([visitor("ada").does(name).does("b")]).await;
    let text = name.replace('\\', "\\\\").replace('"', "\\\"");
    let asked = funnel(&[&format!("\"{text}\""), "b"], "none", By::Visitor);
    assert_eq!(counts(&database, &asked).await, [1, 1]);
}
