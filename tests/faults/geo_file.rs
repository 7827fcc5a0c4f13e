//! The geo file is replaced again and again while events come in.

use std::fs;
use std::path::{Path, PathBuf};

use super::{House, Load};

const REPLACEMENTS: usize = 20;

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
    let file = folder.path().join("places.mmdb");
    let replace = |name: &str| fs::copy(data.join(name), &file).unwrap();
    replace("GeoLite2-City-Test.mmdb");
    let arguments = ["--geo-file", file.to_str().unwrap(), "--trusted-proxy", "loopback"];
    let house = House::up(&arguments);
    let load = Load::start(&house.address, 3, 5);
    for turn in 0..REPLACEMENTS {
        // Written over in place, which is the worst way; and now and then by a broken one.
        replace(match turn % 3 {
            0 => "GeoIP2-City-Test.mmdb",
            1 => "GeoIP2-City-Test-Broken-Double-Format.mmdb",
            _ => "GeoLite2-City-Test.mmdb",
        });
        load.goes_on(50);
    }
    assert_eq!(load.refused(), 0);
    let answered = load.end();
    house.holds_once(&answered);
    // The load's address, told by the proxy that this test is.
    let places =
        house.ask("SELECT DISTINCT country FROM footfall.events ORDER BY country").unwrap();
    assert!(places.lines().all(|place| matches!(place, "" | "GB")), "{places}");
    assert!(places.contains("GB"), "{places}");
}
