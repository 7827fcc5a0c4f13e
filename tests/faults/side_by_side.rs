//! Two collectors that know nothing of each other, on one ClickHouse.

use anyhow::ensure;
use footfall_tests::{Footfall, Running, eventually, stored};
use tempfile::TempDir;

use super::PATIENCE;
use super::house::knows_its_sites;

/// A program's events would be set apart.
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// A collector with a data folder of its own.
struct Collector {
    running: Running,
    address: String,
}

impl Collector {
    fn start(folder: &TempDir, clickhouse: &str, flush_age: &str) -> Self {
        let folder = folder.path().to_str().unwrap();
        let arguments = ["collect", "--data-dir", folder, "--clickhouse-url", clickhouse];
        let further = ["--collector-listen", "127.0.0.1:0", "--flush-age", flush_age];
        let drain = ["--drain-timeout", "60s"];
        let running =
            Running::start(&[&arguments[..], &further, &drain].concat(), "collector").unwrap();
        let address = running.address("collector").unwrap();
        knows_its_sites(&address);
        Self { running, address }
    }

    /// Sends a page view; the id's last digits are the number.
    fn send(&self, number: u64) {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
        let id = format!("018f0000-0000-7000-8000-{number:012}");
        let visitor = "018f0000-0000-7000-8000-00000000abcd";
        let body = format!(
            r#"{{"site":"shop","sent_at":{now},"events":[{{"id":"{id}","type":"page_view","at":{now},
                "visitor":"{visitor}","session":"{visitor}","url":"https://shop.example/"}}]}}"#
        );
        let post = ureq::post(format!("{}/v1/events", self.address)).header("user-agent", BROWSER);
        assert_eq!(post.send(&body).unwrap().status().as_u16(), 202);
    }
}

fn arrived(clickhouse: &str, expected: u64) {
    eventually(PATIENCE, || {
        let count = stored(clickhouse, "shop")?;
        ensure!(count == expected, "{count} events are stored, not {expected}");
        Ok(())
    })
    .unwrap();
}

#[test]
fn two_collectors_store_each_event_once_and_one_outlives_the_other() {
    let [database, one, other] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
    let arguments = ["clickhouse", "--data-dir", database.path().to_str().unwrap()];
    let arguments = [&arguments[..], &["--engine-port", "0"]].concat();
    let clickhouse = Running::start(&arguments, "clickhouse ready").unwrap();
    let url = clickhouse.address("clickhouse ready").unwrap();
    let add = ["site", "add", "shop", "--origin", "https://shop.example"];
    Footfall::printed(&[&add[..], &["--clickhouse-url", &url]].concat()).unwrap();

    let first = Collector::start(&one, &url, "100ms");
    let second = Collector::start(&other, &url, "1h");
    (1..=10).for_each(|number| first.send(number));
    // The load balancer saw no answer and asked the other one.
    (6..=15).for_each(|number| second.send(number));
    arrived(&url, 10);

    // As `kill -9` does: the second has not inserted anything yet.
    drop(second.running);
    (16..=20).for_each(|number| first.send(number));
    arrived(&url, 15);

    // What the killed one had answered waits on its disk for its next start.
    let second = Collector::start(&other, &url, "100ms");
    arrived(&url, 20);
    (21..=30).for_each(|number| second.send(number));
    (21..=30).for_each(|number| first.send(number));
    first.running.stop().unwrap();
    second.running.stop().unwrap();
    assert_eq!(stored(&url, "shop").unwrap(), 30, "both have drained, each event counts once");
}
