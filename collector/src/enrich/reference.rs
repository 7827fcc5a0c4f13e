//! Where the tests find real data with answers worked out elsewhere.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use serde_json::{Map, Value};

/// The folder of real data; says so and gives none where it is absent.
#[expect(clippy::print_stderr, reason = "a test that was not run says so")]
pub(crate) fn reference_data(test: &str) -> Option<PathBuf> {
    let named = std::env::var_os("FOOTFALL_REFERENCE_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = named.clone().unwrap_or(beside);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(named.is_none(), "FOOTFALL_REFERENCE_DATA is no folder: {}", folder.display());
    eprintln!("{test}: not run, the folder of real data is absent (FOOTFALL_REFERENCE_DATA)");
    None
}

/// The networks of a database's source, each with its record. IPv4 ones are written as `::a.b.c.d`.
pub(crate) fn geo_source(folder: &Path, name: &str) -> Vec<(IpNet, Value)> {
    let file = folder.join("geo/source-data").join(format!("{name}.json"));
    let records: Vec<Map<String, Value>> =
        serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    records
        .into_iter()
        .flatten()
        .map(|(network, record)| (network.parse::<IpNet>().unwrap().trunc(), record))
        .collect()
}

/// An IPv4 address as it is asked for, which a source writes as an IPv6 one.
pub(crate) fn as_asked(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(v6) if v6.segments().iter().take(6).all(|part| *part == 0) => {
            v6.to_ipv4().map_or(ip, IpAddr::from)
        }
        _ => ip,
    }
}

/// The record that holds for an address: of the smallest network around it, the later of equals.
pub(crate) fn told_of(source: &[(IpNet, Value)], ip: IpAddr) -> Option<&Value> {
    let around = source.iter().filter(|(network, _)| network.contains(&ip));
    around.max_by_key(|(network, _)| network.prefix_len()).map(|(_, record)| record)
}
