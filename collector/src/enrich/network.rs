//! Whose network an address is of, by databases in the MaxMind format (`--asn-file`).

use std::collections::HashSet;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::LazyLock;

use serde::Deserialize;

use super::geo::Databases;

static DATA_CENTRES: LazyLock<HashSet<u32>> = LazyLock::new(|| {
    let lines = include_str!("tables/data_centres.tsv").lines();
    lines.filter_map(|line| line.split('\t').next()?.parse().ok()).collect()
});

/// The databases; none by default, and then no network is known.
#[derive(Debug, Default)]
pub(crate) struct Networks {
    databases: Databases,
}

#[derive(Deserialize)]
struct Record {
    autonomous_system_number: u32,
}

impl Networks {
    /// Opens what can be opened; a file that cannot is reported, and its networks stay unknown.
    pub(crate) fn open(files: &[PathBuf]) -> Self {
        Self { databases: Databases::open(files) }
    }

    /// As [`Databases::again`].
    pub(super) fn again(&self, files: &[PathBuf]) -> (Self, bool) {
        let (databases, whole) = self.databases.again(files);
        (Self { databases }, whole)
    }

    /// When the oldest file was built, in seconds since 1970; nought where there is none.
    pub(super) fn built(&self) -> u64 {
        self.databases.built()
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
    use wire::Context;

    use super::*;
    use crate::enrich::reference::{as_asked, geo_source, reference_data, told_of};
    use crate::enrich::{BotReason, EnrichFiles, Enricher, SiteRules, mmdb};

    #[test]
    fn every_line_of_the_table_is_a_number() {
        let table = include_str!("tables/data_centres.tsv");
        let lines = table.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(DATA_CENTRES.len(), lines);
    }

    /// A database that knows one network, and whose it is.
    fn database(network: &str, number: u32) -> Vec<u8> {
        let number = [&[0xc4][..], &number.to_be_bytes()].concat();
        let record = mmdb::map(&[("autonomous_system_number", &number)]);
        mmdb::database("Test-ASN", network.parse().unwrap(), &record)
    }

    #[test]
    fn a_visit_from_a_data_centre_is_a_bots() {
        const FIREFOX: &str =
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, network, number| {
            let path = folder.path().join(name);
            std::fs::write(&path, database(network, number)).unwrap();
            path
        };
        // DigitalOcean's number, and one that an internet provider has.
        let asn = vec![
            file("servers.mmdb", "192.0.2.0/24", 14061),
            file("people.mmdb", "198.51.100.0/24", 5391),
        ];
        let enricher = Enricher::open(&EnrichFiles { asn, ..EnrichFiles::default() });
        let (context, rules) = (Context::default(), SiteRules::default());
        let judged = |ip: &str| {
            enricher.visit(ip.parse().unwrap(), Some(FIREFOX), None, &context, &rules).bot
        };
        assert_eq!(judged("192.0.2.7"), Some(BotReason::DataCentre));
        assert_eq!(judged("::ffff:192.0.2.255"), Some(BotReason::DataCentre));
        assert_eq!(judged("192.0.3.7"), None);
        assert_eq!(judged("198.51.100.7"), None);
        assert_eq!(enricher.networks.number("198.51.100.7".parse().unwrap()), Some(5391));
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

    #[test]
    fn every_network_is_whose_its_source_says() {
        let Some(folder) = reference_data("every_network_is_whose_its_source_says") else { return };
        let networks = Networks::open(&[folder.join("geo/test-data/GeoLite2-ASN-Test.mmdb")]);
        let source = geo_source(&folder, "GeoLite2-ASN-Test");
        assert!(source.len() > 500, "{}", source.len());
        for ip in source.iter().flat_map(|(network, _)| [network.network(), network.broadcast()]) {
            let expected =
                told_of(&source, ip).and_then(|record| record["autonomous_system_number"].as_u64());
            let found = networks.number(as_asked(ip)).map(u64::from);
            assert_eq!(found, expected, "{ip}");
        }
    }
}
