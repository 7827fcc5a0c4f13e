//! The geo file is replaced again and again while events come in.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::ensure;
use footfall_tests::eventually;

use super::load::view;
use super::{House, Load, PATIENCE};

const REPLACEMENTS: u32 = 21;
/// What is written over the file, one after the other: where the load's address is by it (no file names
/// another country, so the city tells them apart), and nothing of a broken one, before which the former stays.
const FILES: [(&str, Option<&str>); 4] = [
    ("GeoLite2-City-Test.mmdb", Some("London")),
    ("GeoIP2-City-Test-Broken-Double-Format.mmdb", None),
    ("GeoIP2-Country-Test.mmdb", Some("")),
    ("MaxMind-DB-test-broken-pointers-24.mmdb", None),
];
/// Knows no places, so that all it tells is when it was built: which replacement the collector has read.
const BESIDE: &str = "GeoLite2-ASN-Test.mmdb";

#[test]
fn a_geo_file_replaced_under_load_costs_no_event() {
    let named = std::env::var_os("FOOTFALL_REFERENCE_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let data = named.unwrap_or(beside).join("geo/test-data");
    if !data.is_dir() {
        eprintln!("not run: geo_file: there is no {} (FOOTFALL_REFERENCE_DATA)", data.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let [places, beside] = ["places.mmdb", "beside.mmdb"].map(|name| folder.path().join(name));
    // Written over in place, which is the worst way; and now and then by a broken one.
    let replace = |name: &str, turn: u32| {
        fs::copy(data.join(name), &places).unwrap();
        fs::write(&beside, built_at(fs::read(data.join(BESIDE)).unwrap(), turn)).unwrap();
    };
    let mut city = "";
    replace("GeoIP2-Country-Test.mmdb", 1);
    let files = [&places, &beside].map(|path| path.to_str().unwrap()).join(",");
    let house = House::up(&["--geo-file", &files, "--trusted-proxy", "loopback"]);
    let load = Load::start(&house.address, 3, 5);
    let mut views = vec![(view(&house.collector()), city)];
    for turn in 0..REPLACEMENTS {
        let (name, told) = FILES[turn as usize % FILES.len()];
        city = told.unwrap_or(city);
        replace(name, turn + 2);
        // The last one it has to find by itself.
        if turn + 1 < REPLACEMENTS {
            house.reload_collector();
        }
        has_read(&house, turn + 2);
        views.push((view(&house.collector()), city));
        load.goes_on(50);
    }
    assert_eq!(load.refused(), 0);
    let mut answered = load.end();
    answered.extend(views.iter().map(|(id, _)| id.clone()));
    house.holds_once(&answered);
    for (turn, (id, city)) in views.iter().enumerate() {
        let place = format!("SELECT country, city FROM footfall.events WHERE event_id = '{id}'");
        assert_eq!(house.ask(&place).unwrap(), format!("GB\t{city}\n"), "replacement {turn}");
    }
    let places = "SELECT DISTINCT country, city FROM footfall.events ORDER BY city";
    assert_eq!(house.ask(places).unwrap(), "GB\t\nGB\tLondon\n");
}

/// A database that says of itself that it was built so many seconds after 1970.
fn built_at(mut database: Vec<u8>, seconds: u32) -> Vec<u8> {
    // The field's name, and that a number of four bytes follows.
    const NAME: &[u8] = b"build_epoch\x04\x02";
    let at = database.windows(NAME.len()).rposition(|part| part == NAME).unwrap() + NAME.len();
    database[at..at + 4].copy_from_slice(&seconds.to_be_bytes());
    database
}

/// Waits until the collector has read both files as they were written in this turn: the oldest counts.
fn has_read(house: &House, turn: u32) {
    eventually(PATIENCE, || {
        let built = house.metric(r#"collector_geo_built_timestamp_seconds{file="geo"}"#);
        ensure!(built == f64::from(turn), "the file in use is of turn {built}, not {turn}");
        Ok(())
    })
    .unwrap();
}
