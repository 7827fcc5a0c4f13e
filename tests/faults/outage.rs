//! The operator's bad day: ClickHouse goes, then the collector is killed, then both come back.

use anyhow::ensure;
use footfall_tests::{Footfall, Running, eventually, stored};

use super::PATIENCE;
use super::house::{knows_its_sites, lasting_port};

/// A program's events would be set apart.
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// A page view; the id's last digits are the number.
fn page_view(number: u64, now: u64) -> String {
    let id = format!("018f0000-0000-7000-8000-{number:012}");
    let visitor = "018f0000-0000-7000-8000-00000000abcd";
    format!(
        r#"{{"site":"shop","sent_at":{now},"events":[{{"id":"{id}","type":"page_view","at":{now},
            "visitor":"{visitor}","session":"{visitor}","url":"https://shop.example/"}}]}}"#
    )
}

fn send(collector: &str, number: u64) {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis().try_into().unwrap();
    let body = page_view(number, now);
    let post = ureq::post(format!("{collector}/v1/events")).header("user-agent", BROWSER);
    let answer = post.send(&body).unwrap();
    assert_eq!(answer.status().as_u16(), 202);
}

fn ready(collector: &str) -> bool {
    ureq::get(format!("{collector}/readyz")).call().is_ok()
}

#[test]
fn events_answered_while_clickhouse_is_away_are_stored_once_after_a_kill() {
    let (database, spool) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (database, spool) = (database.path().to_str().unwrap(), spool.path().to_str().unwrap());
    let port = lasting_port().to_string();
    let engine = || {
        let arguments = ["clickhouse", "--data-dir", database, "--engine-port", &port];
        Running::start(&arguments, "clickhouse ready").unwrap()
    };
    let clickhouse = engine();
    let url = clickhouse.address("clickhouse ready").unwrap();
    let collect = || {
        let arguments = ["collect", "--data-dir", spool, "--clickhouse-url", &url];
        let arguments = [&arguments[..], &["--collector-listen", "127.0.0.1:0"]].concat();
        let running = Running::start(&arguments, "collector").unwrap();
        let address = running.address("collector").unwrap();
        (running, address)
    };
    let add = ["site", "add", "shop", "--origin", "https://shop.example"];
    Footfall::printed(&[&add[..], &["--clickhouse-url", &url]].concat()).unwrap();

    let (running, address) = collect();
    knows_its_sites(&address);
    send(&address, 1);
    eventually(PATIENCE, || {
        ensure!(ready(&address) && stored(&url, "shop")? == 1, "the first event is not stored");
        Ok(())
    })
    .unwrap();

    drop(clickhouse);
    (2..=20).for_each(|number| send(&address, number));
    eventually(PATIENCE, || {
        ensure!(!ready(&address), "/readyz does not say that ClickHouse is away");
        Ok(())
    })
    .unwrap();
    drop(running);

    // Still away: the sites are known from the last good copy, and events are taken.
    let (running, address) = collect();
    (21..=30).for_each(|number| send(&address, number));
    // The browser did not see the answer and sends again.
    (21..=30).for_each(|number| send(&address, number));

    let _clickhouse = engine();
    eventually(PATIENCE, || {
        let count = stored(&url, "shop")?;
        ensure!(count == 30, "{count} events are stored, not 30");
        Ok(())
    })
    .unwrap();
    running.stop().unwrap();
    assert_eq!(stored(&url, "shop").unwrap(), 30);
}
