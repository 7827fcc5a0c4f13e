//! Databases in MaxMind's format (<https://maxmind.github.io/MaxMind-DB/>), made where the reference data have none.

use std::net::IpAddr;

use ipnet::IpNet;

/// A database of this kind that knows one network, and of that this record.
pub(crate) fn database(kind: &str, network: IpNet, record: &[u8]) -> Vec<u8> {
    let nodes = network.prefix_len();
    let (address, version) = match network.network() {
        IpAddr::V4(address) => (address.octets().to_vec(), 4),
        IpAddr::V6(address) => (address.octets().to_vec(), 6),
    };
    let mut bytes = Vec::new();
    for node in 0..nodes {
        // On the network's way the next node, at its end the record, and elsewhere nothing.
        let next = if node + 1 == nodes { nodes + 16 } else { node + 1 };
        let bit = address[usize::from(node) / 8] >> (7 - node % 8) & 1;
        let ways = if bit == 0 { [next, nodes] } else { [nodes, next] };
        ways.iter().for_each(|way| bytes.extend_from_slice(&[0, 0, *way]));
    }
    bytes.extend_from_slice(&[0; 16]);
    bytes.extend_from_slice(record);
    bytes.extend_from_slice(b"\xab\xcd\xefMaxMind.com");
    let (kind, description) = (text(kind), map(&[("en", &text("a test"))]));
    bytes.extend(map(&[
        ("node_count", &[0xc1, nodes]),
        ("record_size", &[0xa1, 24]),
        ("ip_version", &[0xa1, version]),
        ("database_type", &kind),
        ("languages", &[1, 4, 0x42, b'e', b'n']),
        ("binary_format_major_version", &[0xa1, 2]),
        ("binary_format_minor_version", &[0xa0]),
        ("build_epoch", &[1, 2, 1]),
        ("description", &description),
    ]));
    bytes
}

/// An object of fewer than 29 fields, each with its value as it is written.
pub(crate) fn map(fields: &[(&str, &[u8])]) -> Vec<u8> {
    let named = fields.iter().flat_map(|(name, value)| [&text(name), *value].concat());
    std::iter::once(0xe0 | fields.len() as u8).chain(named).collect()
}

/// A text of fewer than 29 bytes.
pub(crate) fn text(text: &str) -> Vec<u8> {
    [&[0x40 | text.len() as u8], text.as_bytes()].concat()
}
