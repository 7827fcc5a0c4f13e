//! Interests of a few visitors.

use std::time::Duration;

use analytics::interest::Interests;
use analytics::query::{AskError, Filter, Range};
use store::testing::{TestDatabase, visitor, visitor_id};

use crate::{at, database, site};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn interests() -> Interests {
    Interests {
        site: site("shop"),
        visitor: None,
        half_life: 10 * DAY,
        limit: 10,
        now: at("2026-01-21T00:00:00Z"),
        range: Range::ALL,
        filter: Filter::default(),
    }
}

async fn readers() -> TestDatabase {
    let ada = visitor("ada").at("2026-01-01T00:00:00Z").views("/a").category("Shoes/Running");
    let ada = ada.at("2026-01-21T00:00:00Z").views("/b").category("Shoes");
    let ben = visitor("ben").at("2026-01-11T00:00:00Z").views("/c").category("Hats");
    let ben = ben.does("add_to_cart").category("Hats").views("/about");
    let future = visitor("cyd").at("2026-01-21T00:00:00.001Z").views("/d").category("Bags");
    database([ada, ben, future]).await
}

#[tokio::test]
async fn recent_views_weigh_more() {
    let database = readers().await;
    let report = interests().ask(database.server()).await.unwrap();
    assert_eq!(
        serde_json::to_value(&report).unwrap(),
        serde_json::json!({
            "site": "shop", "half_life": "10d", "range": { "from": null, "to": null },
            "interests": [
                { "category": "Shoes", "score": 1.25, "visitors": 1, "views": 2 },
                { "category": "Hats", "score": 0.5, "visitors": 1, "views": 1 },
                { "category": "Shoes/Running", "score": 0.25, "visitors": 1, "views": 1 },
            ],
        })
    );
    assert_eq!(report.table().rows[0], ["Shoes", "1.250", "1", "2"]);
}

#[tokio::test]
async fn tells_one_visitors_interests() {
    let database = readers().await;
    let asked = Interests { visitor: Some(visitor_id("ben")), ..interests() };
    let report = asked.ask(database.server()).await.unwrap();
    assert_eq!(report.interests.len(), 1);
    assert_eq!(report.interests[0].category, "Hats");
}

#[tokio::test]
async fn keeps_to_its_bounds() {
    let database = readers().await;
    let asked = Interests { limit: 1, ..interests() };
    assert_eq!(asked.ask(database.server()).await.unwrap().interests.len(), 1);
    let asked = Interests { half_life: Duration::ZERO, ..interests() };
    assert!(matches!(asked.ask(database.server()).await, Err(AskError::HalfLife)));
    let asked = Interests { limit: 1001, ..interests() };
    assert!(matches!(asked.ask(database.server()).await, Err(AskError::Limit { .. })));
    let asked = Interests {
        range: Range {
            from: Some(at("2026-01-05T00:00:00Z")),
            to: Some(at("2026-01-20T00:00:00Z")),
        },
        ..interests()
    };
    let report = asked.ask(database.server()).await.unwrap();
    assert_eq!(report.interests.len(), 1);
}
