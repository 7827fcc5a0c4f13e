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
    use crate::enrich::reference::reference_data;
    use crate::enrich::{BotReason, EnrichFiles, Enricher, SiteRules};

    #[test]
    fn every_line_of_the_table_is_a_number() {
        let table = include_str!("tables/data_centres.tsv");
        let lines = table.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(DATA_CENTRES.len(), lines);
    }

    /// A database in MaxMind's format (<https://maxmind.github.io/MaxMind-DB/>) that knows one network of
    /// 24 bits, and whose it is.
    fn database(network: [u8; 3], number: u32) -> Vec<u8> {
        const NODES: u32 = 24;
        let short = |text: &str| [&[0x40 | text.len() as u8], text.as_bytes()].concat();
        let named = |name: &str, value: &[u8]| [&short(name), value].concat();
        let mut bytes = Vec::new();
        for node in 0..NODES {
            // On the network's way the next node, at its end the record, and elsewhere nothing.
            let next = if node + 1 == NODES { NODES + 16 } else { node + 1 };
            let bit = network[node as usize / 8] >> (7 - node % 8) & 1;
            let ways = if bit == 0 { [next, NODES] } else { [NODES, next] };
            ways.iter().for_each(|way| bytes.extend_from_slice(&way.to_be_bytes()[1..]));
        }
        bytes.extend_from_slice(&[0; 16]);
        let record = [&[0xc4][..], &number.to_be_bytes()].concat();
        bytes.push(0xe1);
        bytes.extend(named("autonomous_system_number", &record));
        bytes.extend_from_slice(b"\xab\xcd\xefMaxMind.com");
        bytes.push(0xe9);
        bytes.extend(named("node_count", &[0xc1, NODES as u8]));
        bytes.extend(named("record_size", &[0xa1, 24]));
        bytes.extend(named("ip_version", &[0xa1, 4]));
        bytes.extend(named("database_type", &short("Test-ASN")));
        bytes.extend(named("languages", &[1, 4, 0x42, b'e', b'n']));
        bytes.extend(named("binary_format_major_version", &[0xa1, 2]));
        bytes.extend(named("binary_format_minor_version", &[0xa0]));
        bytes.extend(named("build_epoch", &[1, 2, 1]));
        bytes.extend(named("description", &[&[0xe1][..], &short("en"), &short("a test")].concat()));
        bytes
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
            file("servers.mmdb", [192, 0, 2], 14061),
            file("people.mmdb", [198, 51, 100], 5391),
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
}
