//! The collector's clock is set back two hours and forth two days while events come in.
//!
//! `libfaketime` (Debian: `faketime`) answers the process when it asks what time it is, by a file. What only
//! ever goes on, the clock that waits are measured by, is left alone, as by whoever sets a machine's clock.
//! ClickHouse and the browsers keep the right time, which is the harder case: the collector puts the
//! browsers' clocks right by its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::ensure;
use footfall_tests::{Footfall, eventually, footfall};
use serde_json::{Value, json};

use super::house::knows_its_sites;
use super::{House, Load, PATIENCE};

/// How the clock is set, one after another, and how many seconds it is wrong then.
const CLOCKS: [(&str, i64); 4] = [("+0", 0), ("-2h", -2 * 3600), ("+2d", 2 * 86_400), ("+0", 0)];
/// Of one address whose visitor sends too much, and of one who sends too much for the site's quota.
const LOUD: &str = "198.51.100.1";
const DAY_SECONDS: i64 = 86_400;
/// What may come at once, in seconds of the rate, and the batch that goes over it.
const BURST_SECONDS: i64 = 60 + 20;

/// The library: `FOOTFALL_TEST_FAKETIME`, else where Debian's package puts it.
fn library() -> PathBuf {
    if let Some(named) = std::env::var_os("FOOTFALL_TEST_FAKETIME") {
        return named.into();
    }
    let debian = fs::read_dir("/usr/lib").unwrap().flatten();
    let mut places = debian.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    places.find(|place| place.exists()).expect(
        "libfaketime sets the collector's clock: install it (Debian: apt-get install faketime), \
         or name its file with FOOTFALL_TEST_FAKETIME",
    )
}

/// Asks the clock of the file from now on.
fn with_clock(mut command: Command, file: &Path) -> Command {
    command.env("LD_PRELOAD", library());
    command.env("FAKETIME_TIMESTAMP_FILE", file);
    command.env("FAKETIME_CACHE_DURATION", "1");
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("NO_FAKE_STAT", "1");
    command
}

fn now() -> i64 {
    UNIX_EPOCH.elapsed().unwrap().as_secs().try_into().unwrap()
}

/// What a page at this address is answered: the status, the body, and after how many seconds to try again.
fn send(house: &House, address: &str, site: &str, ids: u64, events: u64) -> (u16, Value, i64) {
    let event = |number| {
        json!({
            "id": format!("018f0001-{number:04x}-7000-8000-{ids:012x}"), "type": "page_view",
            "at": now() * 1000, "url": "https://shop.example/tea",
        })
    };
    let events: Vec<_> = (0..events).map(event).collect();
    let batch = json!({"site": site, "sent_at": now() * 1000, "events": events});
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build();
    let answer = ureq::Agent::new_with_config(agent)
        .post(format!("{}/v1/events", house.collector()))
        .header(
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        )
        .header("origin", "https://shop.example")
        .header("x-forwarded-for", address)
        .send(batch.to_string())
        .unwrap();
    let again = answer.headers().get("retry-after").map_or("0", |again| again.to_str().unwrap());
    let again = again.parse().unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().read_to_string().unwrap();
    (status, serde_json::from_str(&body).unwrap(), again)
}

/// Puts the clock, and waits until the collector goes by it: until it says of an insert that it was then.
/// (The `Date` of an answer does not tell it: hyper makes a new one only when the clock has passed the one
/// before.)
fn set(house: &House, file: &Path, clock: &str, wrong: i64) {
    let new = file.with_extension("new");
    fs::write(&new, clock).unwrap();
    fs::rename(new, file).unwrap();
    eventually(PATIENCE, || {
        let inserted_at = house.metric("collector_last_insert_timestamp_seconds");
        let off = inserted_at - (now() + wrong) as f64;
        ensure!(off.abs() < 60.0, "the last insert is {off} s off");
        Ok(())
    })
    .unwrap();
}

/// Whoever may send may still send, whoever may not is told a time that comes, and blocks go in.
fn holds_up(house: &House, turn: u64, wrong: i64) {
    // A visitor without an id of its own, so by the salt of whatever day it is.
    let (status, body, _) = send(house, &format!("198.51.100.{}", 100 + turn), "shop", turn, 1);
    assert_eq!((status, &body["accepted"]), (202, &json!(1)), "{body}");

    let quota = [0, 1].map(|again| send(house, "198.51.100.2", "small", turn << 8 | again, 1));
    assert!(quota[1].0 == 429, "one event a day is taken, not two: {quota:?}");
    for (status, body, again) in quota {
        assert!(status == 202 || (1..=DAY_SECONDS).contains(&again), "{status} {again} {body}");
    }
    let loud: Vec<_> =
        (0..5).map(|n| send(house, LOUD, "shop", turn << 16 | (n + 1) << 8, 200)).collect();
    assert!(loud.iter().any(|(status, ..)| *status == 429), "1000 events are not 10 a second");
    for (status, body, again) in loud {
        let sane = status == 202 || status == 429 && (1..=BURST_SECONDS).contains(&again);
        assert!(sane, "{status} {again} {body}");
    }
    let from = now() + wrong - 120;
    let question = format!(
        "SELECT count() FROM footfall.events WHERE site = 'shop' \
         AND received_at BETWEEN fromUnixTimestamp({from}) AND fromUnixTimestamp({})",
        from + 240
    );
    eventually(PATIENCE, || {
        ensure!(house.ask(&question)?.trim() != "0", "nothing of this hour is in ClickHouse");
        Ok(())
    })
    .unwrap();
    knows_its_sites(&house.collector());
}

#[test]
fn a_clock_set_back_and_forth_loses_nothing_and_locks_nobody_out() {
    let began = now();
    let arguments = ["--flush-age", "50ms", "--trusted-proxy", "loopback", "--page-rate", "10"];
    let mut house = House::without_collector(&arguments);
    for (site, quota) in [("shop", "1000000"), ("small", "1")] {
        let add = ["site", "add", site, "--origin", "https://shop.example", "--visitors", "either"];
        let quota = ["--events-per-day", quota, "--clickhouse-url", &house.clickhouse];
        Footfall::printed(&[&add[..], &quota[..]].concat()).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clock");
    fs::write(&file, "+0").unwrap();
    let command = with_clock(footfall(&house.collect()).unwrap(), &file);
    house.start_as(command);

    let load = Load::start(&house.address, 4, 5);
    for (turn, (clock, wrong)) in CLOCKS.into_iter().enumerate() {
        set(&house, &file, clock, wrong);
        load.goes_on(300);
        holds_up(&house, turn as u64, wrong);
        load.goes_on(300);
    }
    assert_eq!(load.refused(), 0);
    let answered = load.end();
    house.holds_once(&answered);

    // An event's time is the collector's, whatever that was: of one of the clocks, and of when it came.
    let (took, minute) = (now() - began, Duration::from_secs(60).as_secs());
    for (wrong, name) in [(0, "right"), (-2 * 3600, "back"), (2 * 86_400, "forth")] {
        let (from, to) = (began + wrong - 60, began + wrong + took + 60);
        let question = format!(
            "SELECT count() FROM footfall.events WHERE site = 'shop' \
             AND received_at BETWEEN fromUnixTimestamp({from}) AND fromUnixTimestamp({to}) \
             AND abs(dateDiff('second', occurred_at, received_at)) <= {minute}"
        );
        let count: usize = house.ask(&question).unwrap().trim().parse().unwrap();
        assert!(count >= 600, "{count} events are of the clock that went {name}");
    }
    let else_when = "SELECT count() FROM footfall.events WHERE site = 'shop' \
                     AND abs(dateDiff('second', occurred_at, received_at)) > 60";
    assert_eq!(house.ask(else_when).unwrap().trim(), "0");
    house.stop_collector();
}
