//! Segments of a few visitors.

use analytics::query::AskError;
use analytics::segment::Segment;
use store::testing::{TestDatabase, visitor, visitor_id};
use uuid::Uuid;

use crate::{at, database, site};

async fn members(database: &TestDatabase, rule: &str) -> Vec<Uuid> {
    let segment = Segment {
        site: site("shop"),
        rule: rule.parse().unwrap(),
        now: at("2026-01-31T00:00:00Z"),
    };
    let report = segment.ask(database.server()).await.unwrap();
    let members = segment.members(database.server(), 1000).await.unwrap();
    assert_eq!(report.visitors, members.len() as u64, "{rule}");
    members
}

fn ids(names: &[&str]) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = names.iter().map(|name| visitor_id(name)).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn means_whom_the_rule_means() {
    let ada =
        visitor("ada").country("HR").at("2026-01-10T00:00:00Z").views("/shoes/1").category("Shoes");
    let ada =
        ada.does("product_view").category("Shoes/Running").does("product_view").category("Shoes");
    let ben = visitor("ben")
        .country("SI")
        .at("2026-01-30T12:00:00Z")
        .does("product_view")
        .category("Shoes");
    let ben = ben.does("purchase").property("total", "59.90");
    let cyd = visitor("cyd")
        .country("AT")
        .at("2025-11-01T00:00:00Z")
        .does("product_view")
        .category("Hats");
    let late = visitor("dan").at("2026-01-31T00:00:01Z").does("product_view").category("Shoes");
    let elsewhere = visitor("eve").site("other").at("2026-01-10T00:00:00Z").does("purchase");
    let database = database([ada, ben, cyd, late, elsewhere]).await;
    for (rule, names) in [
        (
            "did product_view where category = \"Shoes\" at least 2 times in last 30 days and not did purchase",
            ["ada"].as_slice(),
        ),
        ("did product_view where category = \"Shoes\"", &["ada", "ben"]),
        ("did any where country in (\"HR\", \"SI\")", &["ada", "ben"]),
        ("did page_view where path starts with \"/shoes\"", &["ada"]),
        ("not did purchase", &["ada", "cyd"]),
        ("did any", &["ada", "ben", "cyd"]),
        ("did purchase where properties.total >= 59.9 in last 12 hours", &["ben"]),
        ("did purchase where properties.total > 59.9", &[]),
        ("did purchase in last 11 hours", &[]),
        ("did product_view at most 1 time and did any where country != \"SI\"", &["cyd"]),
        ("did product_view where category = \"Shoes\" and category = \"Shoes/Running\"", &["ada"]),
        ("(did purchase or did page_view) and did any in last 40 days", &["ada", "ben"]),
        ("did product_view exactly 2 times", &["ada"]),
    ] {
        assert_eq!(members(&database, rule).await, ids(names), "{rule}");
    }
}

#[tokio::test]
async fn members_are_ordered_and_bounded() {
    let names: Vec<String> = (0..50).map(|number| format!("v{number}")).collect();
    let database = database(names.iter().map(|name| visitor(name).does("a"))).await;
    let all = members(&database, "did a").await;
    assert!(all.is_sorted() && all.len() == 50);
    let segment = Segment {
        site: site("shop"),
        rule: "did a".parse().unwrap(),
        now: at("2026-01-31T00:00:00Z"),
    };
    assert_eq!(segment.members(database.server(), 7).await.unwrap(), all[..7]);
    let refused = segment.members(database.server(), 1_000_001).await;
    assert!(matches!(refused, Err(AskError::Limit { .. })));
    let json = serde_json::to_value(segment.ask(database.server()).await.unwrap()).unwrap();
    assert_eq!(
        json,
        serde_json::json!({ "site": "shop", "rule": "did a", "now": "2026-01-31T00:00:00Z", "visitors": 50 })
    );
}
