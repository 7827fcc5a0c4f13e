//! Rows: every column there and back, and what happens to a row that comes twice.

use store::testing::{TestDatabase, insert, insert_identifiers, visitor};
use store::{EventRow, IdentifierRow};
use uuid::Uuid;

/// A row with something in every column, each unlike the others.
fn full() -> EventRow {
    let text = str::to_owned;
    EventRow {
        site: text("shop"),
        event_id: Uuid::from_u128(1),
        kind: text("step"),
        name: text("checkout/shipping"),
        occurred_at: 1_767_261_600_123,
        received_at: 1_767_261_600_456,
        visitor_id: Uuid::from_u128(2),
        session_id: Uuid::from_u128(3),
        user_id: text("u-1"),
        host: text("shop.example"),
        path: text("/p/1"),
        query: text("color=red"),
        title: text("Čizme \u{1F97E} 'x' \\ \n"),
        categories: vec![text("Shoes"), text("Shoes/Running")],
        funnel: text("checkout"),
        step: text("shipping"),
        referrer: text("https://search.example/"),
        source: text("search"),
        medium: text("organic"),
        channel: text("organic_search"),
        campaign: text("spring"),
        term: text("boots"),
        content: text("banner"),
        country: text("HR"),
        region: text("Zagreb"),
        city: text("Zagreb center"),
        device: text("mobile"),
        browser: text("Firefox"),
        browser_version: text("140.0"),
        os: text("Android"),
        os_version: text("16"),
        language: text("hr-HR"),
        screen_width: 65_535,
        consent_analytics: 1,
        consent_personalization: 2,
        consent_ads: 1,
        value: -12_345_678,
        currency: text("USD"),
        value_reporting: 999_999_999_999_999_999,
        currency_reporting: text("EUR"),
        click_id_kind: text("gclid"),
        click_id: text("Cj0K"),
        properties: vec![(text("cart.items"), text("2")), (text("price"), text("59.90"))],
        bot_reason: text("webdriver"),
    }
}

async fn stored(database: &TestDatabase, from: &str) -> Vec<EventRow> {
    let sql = format!("SELECT ?fields FROM {from} ORDER BY occurred_at");
    database.server().client().query(&sql).fetch_all().await.unwrap()
}

#[tokio::test]
async fn every_column_of_an_event_comes_back_as_it_went() {
    let database = TestDatabase::create().await;
    let plain = serde_json::to_value(<EventRow>::default()).unwrap();
    let sent = serde_json::to_value(full()).unwrap();
    for (column, value) in sent.as_object().unwrap() {
        assert_ne!(Some(value), plain.get(column), "{column} says nothing");
    }
    insert(database.server(), &[full()]).await;
    assert_eq!(stored(&database, "events").await, [full()]);

    let mut bots = database.server().client().insert::<EventRow>("bot_events").await.unwrap();
    bots.write(&full()).await.unwrap();
    bots.end().await.unwrap();
    assert_eq!(stored(&database, "bot_events").await, [full()]);
}

#[tokio::test]
async fn every_column_of_an_identifier_comes_back_as_it_went() {
    let database = TestDatabase::create().await;
    let row = IdentifierRow {
        site: "shop".to_owned(),
        visitor_id: Uuid::from_u128(7),
        user_id: "u-1".to_owned(),
        kind: "email_google".to_owned(),
        value: "ab".repeat(32),
        consent_ads: 2,
        occurred_at: 1_767_261_600_123,
        received_at: 1_767_261_600_456,
    };
    insert_identifiers(database.server(), std::slice::from_ref(&row)).await;
    let query = database.server().client().query("SELECT ?fields FROM identifiers");
    assert_eq!(query.fetch_all::<IdentifierRow>().await.unwrap(), [row]);
}

#[tokio::test]
async fn a_block_sent_twice_with_one_token_is_stored_once() {
    let database = TestDatabase::create().await;
    let rows = visitor("ada").views("/").does("add_to_cart").rows();
    for (token, expected) in [("block-1", 2), ("block-1", 2), ("block-2", 4)] {
        let insert = database.server().client().insert::<EventRow>("events").await.unwrap();
        let mut insert = insert.with_setting("insert_deduplication_token", token);
        for row in &rows {
            insert.write(row).await.unwrap();
        }
        insert.end().await.unwrap();
        assert_eq!(stored(&database, "events").await.len(), expected, "after {token}");
    }
}

#[tokio::test]
async fn an_event_stored_twice_is_read_once_and_the_later_receipt_stays() {
    let database = TestDatabase::create().await;
    let late = EventRow { received_at: full().received_at + 1, title: "late".to_owned(), ..full() };
    insert(database.server(), std::slice::from_ref(&late)).await;
    insert(database.server(), &[full()]).await;
    assert_eq!(stored(&database, "events FINAL").await, [late]);
}

#[test]
fn a_visit_is_told_in_the_order_it_happened() {
    let rows = visitor("ada")
        .at("2026-01-01T10:00:00Z")
        .views("/p/1")
        .steps("checkout", "shipping")
        .identifies("u-1")
        .rows();
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.kind.as_str(), row.name.as_str(), row.occurred_at, row.user_id.as_str()))
        .collect();
    let start = 1_767_261_600_000;
    assert_eq!(
        told,
        [
            ("page_view", "page_view", start, ""),
            ("step", "checkout/shipping", start + 1000, ""),
            ("identify", "identify", start + 2000, "u-1"),
        ]
    );
    assert_eq!(visitor("ada").at("2026-01-01T10:00:00Z").views("/p/1").rows()[0], rows[0]);
    assert_ne!(rows[0].visitor_id, visitor("bea").views("/p/1").rows()[0].visitor_id);
}
