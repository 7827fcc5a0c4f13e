//! Traffic of a few visitors.

use analytics::query::{AskError, Filter, Range};
use analytics::traffic::{Countries, Interval, TopPages, VisitorsOverTime};
use store::testing::{TestDatabase, visitor};

use crate::{at, database, site};

async fn three_days() -> TestDatabase {
    let ada = visitor("ada").country("HR").at("2026-01-01T10:00:00Z").views("/").views("/p/1");
    let ada = ada.session("2").at("2026-01-03T10:00:00Z").views("/").does("purchase");
    let ben = visitor("ben").country("SI").at("2026-01-03T23:59:59.999Z").views("/");
    let elsewhere = visitor("cyd").site("other").country("AT").views("/");
    database([ada, ben, elsewhere]).await
}

fn visitors(range: Range, interval: Option<Interval>) -> VisitorsOverTime {
    VisitorsOverTime { site: site("shop"), range, interval, filter: Filter::default() }
}

#[tokio::test]
async fn counts_by_day_without_gaps() {
    let database = three_days().await;
    let range =
        Range { from: Some(at("2025-12-31T12:00:00Z")), to: Some(at("2026-01-04T00:00:00Z")) };
    let report = visitors(range, None).ask(database.server()).await.unwrap();
    assert_eq!(
        serde_json::to_value(&report).unwrap(),
        serde_json::json!({
            "site": "shop",
            "range": { "from": "2025-12-31T12:00:00Z", "to": "2026-01-04T00:00:00Z" },
            "interval": "day",
            "totals": { "visitors": 2, "sessions": 3, "page_views": 4 },
            "points": [
                { "at": "2025-12-31T00:00:00Z", "visitors": 0, "sessions": 0, "page_views": 0 },
                { "at": "2026-01-01T00:00:00Z", "visitors": 1, "sessions": 1, "page_views": 2 },
                { "at": "2026-01-02T00:00:00Z", "visitors": 0, "sessions": 0, "page_views": 0 },
                { "at": "2026-01-03T00:00:00Z", "visitors": 2, "sessions": 2, "page_views": 2 },
            ],
        })
    );
    assert_eq!(report.table().rows[1], ["2026-01-01T00:00:00Z", "1", "1", "2"]);
}

#[tokio::test]
async fn every_interval_counts_the_same_page_views() {
    let database = three_days().await;
    for (interval, points) in
        [(Interval::Hour, 62), (Interval::Day, 3), (Interval::Week, 1), (Interval::Month, 1)]
    {
        let asked = visitors(Range::ALL, Some(interval));
        let report = asked.ask(database.server()).await.unwrap();
        assert_eq!(report.points.len(), points, "{interval}");
        let page_views: u64 = report.points.iter().map(|point| point.page_views).sum();
        assert_eq!(page_views, 4, "{interval}");
    }
}

#[tokio::test]
async fn a_site_without_events_has_no_points() {
    let database = TestDatabase::create().await;
    let report = visitors(Range::ALL, None).ask(database.server()).await.unwrap();
    assert_eq!(report.points, []);
    assert_eq!(report.totals.visitors, 0);
}

#[tokio::test]
async fn refuses_more_points_than_a_chart_has() {
    let database = TestDatabase::create().await;
    let range =
        Range { from: Some(at("2020-01-01T00:00:00Z")), to: Some(at("2026-01-01T00:00:00Z")) };
    let refused = visitors(range, Some(Interval::Hour)).ask(database.server()).await;
    let error = refused.unwrap_err();
    assert!(matches!(error, AskError::Points { points: 52_608, .. }), "{error}");
    assert!(error.is_askers_fault());
}

#[tokio::test]
async fn tells_the_pages_viewed_most() {
    let database = three_days().await;
    let mut asked =
        TopPages { site: site("shop"), range: Range::ALL, limit: 10, filter: Filter::default() };
    let report = asked.ask(database.server()).await.unwrap();
    let pages: Vec<_> = report
        .pages
        .iter()
        .map(|page| (page.path.as_str(), page.page_views, page.visitors))
        .collect();
    assert_eq!(pages, [("/", 3, 2), ("/p/1", 1, 1)]);
    asked.limit = 1;
    assert_eq!(asked.ask(database.server()).await.unwrap().pages.len(), 1);
    asked.limit = 0;
    assert!(matches!(asked.ask(database.server()).await, Err(AskError::Limit { limit: 0, .. })));
}

#[tokio::test]
async fn tells_the_countries_most_came_from() {
    let database = three_days().await;
    let asked =
        Countries { site: site("shop"), range: Range::ALL, limit: 10, filter: Filter::default() };
    let report = asked.ask(database.server()).await.unwrap();
    assert_eq!(
        serde_json::to_value(&report.countries).unwrap(),
        serde_json::json!([
            { "country": "HR", "visitors": 1, "sessions": 2, "page_views": 3 },
            { "country": "SI", "visitors": 1, "sessions": 1, "page_views": 1 },
        ])
    );
    assert_eq!(report.table().columns, ["country", "visitors", "sessions", "page_views"]);
}
