//! Whose network an address is of, by databases in the MaxMind format (`--asn-file`).

use std::collections::HashSet;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::LazyLock;

use maxminddb::Reader;
use serde::Deserialize;

static DATA_CENTRES: LazyLock<HashSet<u32>> = LazyLock::new(|| {
    let lines = include_str!("tables/data_centres.tsv").lines();
    lines.filter_map(|line| line.split('\t').next()?.parse().ok()).collect()
});

/// The databases; none by default, and then no network is known.
#[derive(Debug, Default)]
pub(crate) struct Networks {
    databases: Vec<Reader<Vec<u8>>>,
}

#[derive(Deserialize)]
struct Record {
    autonomous_system_number: u32,
}

impl Networks {
    /// Opens what can be opened; a file that cannot is reported, and its networks stay unknown.
    pub(crate) fn open(files: &[PathBuf]) -> Self {
        Self::of(files.iter().filter_map(super::geo::open).collect())
    }

    pub(super) const fn of(databases: Vec<Reader<Vec<u8>>>) -> Self {
        Self { databases }
    }

    /// When the oldest file was built, in seconds since 1970; nought where there is none.
    pub(super) fn built(&self) -> u64 {
        super::geo::oldest(&self.databases)
    }

    pub(super) fn is_data_centre(&self, ip: IpAddr) -> bool {
        self.number(ip).is_some_and(|number| DATA_CENTRES.contains(&number))
    }

    /// The autonomous system an address belongs to.
    fn number(&self, ip: IpAddr) -> Option<u32> {
        let ip = ip.to_canonical();
        self.databases.iter().find_map(|database| {
            let record: Record = database.lookup(ip).ok()?.decode().ok()??;
            Some(record.autonomous_system_number)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enrich::reference::reference_data;

    #[test]
    fn every_line_of_the_table_is_a_number() {
        let table = include_str!("tables/data_centres.tsv");
        let lines = table.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(DATA_CENTRES.len(), lines);
    }

    #[test]
    fn tells_servers_networks_from_peoples() {
        let Some(folder) = reference_data("tells_servers_networks_from_peoples") else { return };
        let networks = Networks::open(&[folder.join("geo/test-data/GeoLite2-ASN-Test.mmdb")]);
        let number = |ip: &str| networks.number(ip.parse().unwrap());
        assert_eq!(number("1.128.0.1"), Some(1221));
        assert_eq!(number("::ffff:1.128.0.1"), Some(1221));
        assert_eq!(number("127.0.0.1"), None);
        assert!(!networks.is_data_centre("1.128.0.1".parse().unwrap()));
        assert!(!Networks::default().is_data_centre("1.128.0.1".parse().unwrap()));
    }
}
