//! Whose request it is, when proxies stand between.

use std::net::{IpAddr, SocketAddr};

use hyper::HeaderMap;
use hyper::header::HeaderName;
use ipnet::IpNet;

use crate::gate::contains;

static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client's address. An IPv4 address that came through an IPv6 socket, or was written so by a proxy
/// (`::ffff:192.0.2.7`), is the IPv4 address: a network that a site excludes has it, and whoever has no
/// cookie is the same visitor by either.
pub(crate) fn client_ip(
    peer: IpAddr,
    headers: &HeaderMap,
    trusted: &[IpNet],
    own_header: Option<&HeaderName>,
) -> IpAddr {
    as_told(peer, headers, trusted, own_header).to_canonical()
}

/// The client's address: the connection's, or where that is a trusted proxy's, the last one in
/// `X-Forwarded-For` that is not. Read from the right: what stands further left than the first
/// stranger was written by that stranger. A proxy's own header, where one is named, has the address alone.
fn as_told(
    peer: IpAddr,
    headers: &HeaderMap,
    trusted: &[IpNet],
    own_header: Option<&HeaderName>,
) -> IpAddr {
    let mut client = peer;
    if !is_trusted(client, trusted) {
        return client;
    }
    if let Some(name) = own_header {
        // Of several the last is the one that was added on the way.
        let named = headers.get_all(name).iter().next_back();
        return named.and_then(|value| hop(value.as_bytes())).unwrap_or(peer);
    }
    // Each by itself: a line has a visitor's own bytes and the proxy's word behind them.
    let forwarded = headers.get_all(&FORWARDED_FOR).iter().rev();
    for sent in forwarded.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b',')) {
        let Some(ip) = hop(sent) else {
            return client;
        };
        client = ip;
        if !is_trusted(client, trusted) {
            return client;
        }
    }
    client
}

/// Whether an address is a trusted proxy's.
pub(crate) fn is_trusted(ip: IpAddr, trusted: &[IpNet]) -> bool {
    contains(trusted, ip)
}

/// The address that one hop is told by; none where it is `unknown`, or cannot be read.
fn hop(sent: &[u8]) -> Option<IpAddr> {
    address(str::from_utf8(sent.trim_ascii()).ok()?)
}

/// `192.0.2.1`, `2001:db8::1`, and both with a port.
pub(crate) fn address(hop: &str) -> Option<IpAddr> {
    let in_brackets = || hop.trim_matches(['[', ']']).parse().ok();
    let with_port = || hop.parse::<SocketAddr>().map(|address| address.ip()).ok();
    hop.parse().ok().or_else(in_brackets).or_else(with_port)
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn told(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted: Vec<_> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        client_ip(peer.parse().unwrap(), &headers, &trusted, None).to_string()
    }

    #[test]
    fn believes_nobody_by_default() {
        assert_eq!(told("203.0.113.9", &["192.0.2.1"], &[]), "203.0.113.9");
        assert_eq!(told("203.0.113.9", &["192.0.2.1"], &["10.0.0.0/8"]), "203.0.113.9");
    }

    #[test]
    fn takes_the_last_address_that_is_no_proxy() {
        let trusted = ["10.0.0.0/8", "127.0.0.1/32"];
        assert_eq!(told("127.0.0.1", &["192.0.2.1"], &trusted), "192.0.2.1");
        assert_eq!(
            told("127.0.0.1", &["198.51.100.7, 192.0.2.1, 10.1.2.3"], &trusted),
            "192.0.2.1"
        );
        assert_eq!(told("10.0.0.1", &["198.51.100.7", "192.0.2.1:4711"], &trusted), "192.0.2.1");
        assert_eq!(told("::ffff:10.0.0.1", &["[2001:db8::1]:443"], &trusted), "2001:db8::1");
    }

    #[test]
    fn an_ipv4_address_is_the_same_on_an_ipv6_socket() {
        let trusted = ["10.0.0.0/8"];
        assert_eq!(told("::ffff:203.0.113.9", &[], &trusted), "203.0.113.9");
        assert_eq!(told("10.0.0.1", &["::ffff:192.0.2.7"], &trusted), "192.0.2.7");
        assert_eq!(told("10.0.0.1", &["[::ffff:192.0.2.7]:443"], &trusted), "192.0.2.7");
        assert_eq!(told("::ffff:10.0.0.1", &["unknown"], &trusted), "10.0.0.1");
    }

    #[test]
    fn a_proxys_own_header_is_believed_from_a_trusted_one_only() {
        let name = HeaderName::from_static("cf-connecting-ip");
        let told = |peer: &str, values: &[&str]| {
            let mut headers = HeaderMap::new();
            headers.append("x-forwarded-for", "198.51.100.9".parse().unwrap());
            for value in values {
                headers.append(&name, value.parse().unwrap());
            }
            let trusted = ["10.0.0.0/8".parse().unwrap()];
            client_ip(peer.parse().unwrap(), &headers, &trusted, Some(&name)).to_string()
        };
        assert_eq!(told("10.0.0.1", &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(told("10.0.0.1", &["6.6.6.6", "192.0.2.1"]), "192.0.2.1");
        assert_eq!(told("203.0.113.9", &["192.0.2.1"]), "203.0.113.9");
        assert_eq!(told("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(told("10.0.0.1", &["somebody"]), "10.0.0.1");
    }

    /// A proxy writes its own hop behind what the visitor wrote, into the same line.
    #[test]
    fn what_cannot_be_read_hides_no_hop_behind_it() {
        let told = |forwarded: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", HeaderValue::from_bytes(forwarded).unwrap());
            let trusted = ["10.0.0.0/8".parse().unwrap()];
            client_ip("10.0.0.1".parse().unwrap(), &headers, &trusted, None).to_string()
        };
        assert_eq!(told(b"\xff, 203.0.113.5"), "203.0.113.5");
        assert_eq!(told(b"198.51.100.7, \xff\xfe,203.0.113.5, 10.0.0.2"), "203.0.113.5");
        assert_eq!(told("ž, 203.0.113.5".as_bytes()), "203.0.113.5");
        assert_eq!(told(b"203.0.113.5, \xff, 10.0.0.2"), "10.0.0.2", "as `unknown` does");
    }

    #[test]
    fn what_is_no_address_ends_the_way() {
        let trusted = ["10.0.0.0/8"];
        assert_eq!(told("10.0.0.1", &["192.0.2.1, unknown"], &trusted), "10.0.0.1");
        assert_eq!(told("10.0.0.1", &[], &trusted), "10.0.0.1");
        assert_eq!(told("10.0.0.1", &["10.0.0.2"], &trusted), "10.0.0.2");
    }
}
