//! Visitors whose browser keeps no id, through the door.

use serde_json::{Value, json};
use store::Server;
use store::site::{Site, SiteSettings, Visitors};
use store::testing::TestDatabase;
use store::visitor_salt;
use tempfile::TempDir;

use crate::stack::{Collector, NOW, VISITOR, batch, eventually, page_view, rows, with};

const DAY: i64 = 24 * 60 * 60 * 1000;
const FLAGS: [&str; 2] = ["--trusted-proxy", "loopback"];

async fn database(visitors: Visitors) -> TestDatabase {
    let database = TestDatabase::create().await;
    set(database.server(), visitors).await;
    database
}

async fn set(server: &Server, visitors: Visitors) {
    let origins = vec!["https://shop.example".parse().unwrap()];
    let settings = SiteSettings { origins, visitors, ..SiteSettings::default() };
    let site = Site { name: "shop".parse().unwrap(), settings };
    store::site::add(server, &site, NOW).await.unwrap();
}

/// A page view from an address; the number is the event's.
async fn view(collector: &Collector, ip: &str, number: u64, fields: &Value) -> Value {
    let event = with(page_view(number), fields);
    let answer = collector.post_as(&[("X-Forwarded-For", ip)], &batch(&[event])).await;
    assert_eq!(answer.status, 202);
    answer.json()
}

async fn visitor_of(database: &TestDatabase, number: u64) -> String {
    let id = page_view(number)["id"].as_str().unwrap().to_owned();
    let question = format!("SELECT visitor_id FROM events FINAL WHERE event_id = '{id}'");
    let rows: Vec<Value> = rows(database, &question).await;
    rows[0]["visitor_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn two_collectors_know_a_visitor_alike_for_a_day_and_a_killed_one_still_does() {
    let database = database(Visitors::Cookieless).await;
    let folders = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let one = Collector::start(folders[0].path(), database.server(), &FLAGS).await;
    let other = Collector::start(folders[1].path(), database.server(), &FLAGS).await;
    let none = json!({"visitor": null, "session": null});
    view(&one, "192.0.2.1", 1, &none).await;
    view(&other, "192.0.2.1", 2, &none).await;
    // What is sent is not looked at.
    view(&other, "192.0.2.1", 3, &json!({"visitor": VISITOR, "session": VISITOR})).await;
    view(&other, "192.0.2.2", 4, &none).await;
    one.kill().await;
    let one = Collector::start(folders[0].path(), database.server(), &FLAGS).await;
    view(&one, "192.0.2.1", 5, &none).await;
    one.clock.set(NOW + DAY);
    // Sent by a clock that is a day behind: put right, it is of the new day.
    view(&one, "192.0.2.1", 6, &none).await;
    one.stop().await;
    other.stop().await;

    let mut of = Vec::new();
    for number in 1..=6 {
        of.push(visitor_of(&database, number).await);
    }
    assert_eq!(of[0].as_bytes()[14], b'8', "{of:?}");
    assert!(of[..3].iter().all(|visitor| *visitor == of[0]) && of[4] == of[0], "{of:?}");
    assert!(of[3] != of[0] && of[5] != of[0] && of[5] != of[3], "{of:?}");
    assert!(!of.iter().any(|visitor| visitor == VISITOR));
    let sessions: Vec<Value> = rows(&database, "SELECT session_id FROM events FINAL").await;
    assert!(sessions.iter().all(|row| row["session_id"] != VISITOR), "{sessions:?}");
}

#[tokio::test]
async fn a_day_that_is_over_has_no_salt_in_clickhouse_or_in_a_file() {
    let database = database(Visitors::Either).await;
    let folder = TempDir::new().unwrap();
    let collector = Collector::start(folder.path(), database.server(), &FLAGS).await;
    let server = database.server();
    let salts = visitor_salt::list(server).await.unwrap();
    let today = u16::try_from(NOW / DAY).unwrap();
    assert_eq!(salts.iter().map(|salt| salt.day).collect::<Vec<_>>(), [today]);
    let file = folder.path().join("visitor-salt");
    let secret = hex::encode(salts[0].salt);
    let kept = || std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept().contains(&secret));

    collector.clock.set(NOW + DAY);
    eventually("the new day's salt is there and the old one gone", || async {
        let days: Vec<_> =
            visitor_salt::list(server).await.unwrap().iter().map(|salt| salt.day).collect();
        days == [today + 1] && !kept().contains(&secret)
    })
    .await;
    assert_ne!(visitor_salt::list(server).await.unwrap()[0].salt, salts[0].salt);
    // No other file of the collector's has it either.
    for path in crate::stack::files(folder.path()) {
        let bytes = std::fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let raw = bytes.windows(32).any(|window| window == salts[0].salt);
        assert!(!raw && !text.contains(&secret), "{}", path.display());
    }
}

#[tokio::test]
async fn who_has_not_decided_has_the_days_id_and_who_has_keeps_theirs() {
    let database = database(Visitors::Either).await;
    let folder = TempDir::new().unwrap();
    let collector = Collector::start(folder.path(), database.server(), &FLAGS).await;
    view(&collector, "192.0.2.1", 1, &json!({"visitor": null, "session": null})).await;
    view(&collector, "192.0.2.1", 2, &json!({})).await;
    let pixel = "/v1/pixel.gif?site=shop&url=https://shop.example/";
    assert_eq!(collector.get(pixel).await.header("x-footfall-dropped"), None);
    set(database.server(), Visitors::Kept).await;
    let none = json!({"visitor": null});
    eventually("the site's new setting is known", || async {
        view(&collector, "192.0.2.1", 3, &none).await["dropped"][0]["reason"] == "visitor_missing"
    })
    .await;
    collector.stop().await;
    assert_ne!(visitor_of(&database, 1).await, VISITOR);
    assert_eq!(visitor_of(&database, 2).await, VISITOR);
}
