//! Whose `X-Forwarded-For` is believed: networks by their CIDR, or well-known ones by a name.

use std::net::IpAddr;

use ipnet::IpNet;

/// RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3.
const LOOPBACK: &[&str] = &["127.0.0.0/8", "::1/128"];
/// RFC 1918, RFC 4193; not link-local, where no proxy should be.
const PRIVATE: &[&str] = &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];
/// <https://www.cloudflare.com/ips-v4> and <https://www.cloudflare.com/ips-v6>. A network that is added
/// there and lacks here costs the visitors' addresses; one that is given up there must go here.
const CLOUDFLARE: &[&str] = &[
    "173.245.48.0/20",
    "103.21.244.0/22",
    "103.22.200.0/22",
    "103.31.4.0/22",
    "141.101.64.0/18",
    "108.162.192.0/18",
    "190.93.240.0/20",
    "188.114.96.0/20",
    "197.234.240.0/22",
    "198.41.128.0/17",
    "162.158.0.0/15",
    "104.16.0.0/13",
    "104.24.0.0/14",
    "172.64.0.0/13",
    "131.0.72.0/22",
    "2400:cb00::/32",
    "2606:4700::/32",
    "2803:f800::/32",
    "2405:b500::/32",
    "2405:8100::/32",
    "2a06:98c0::/29",
    "2c0f:f248::/32",
];

/// <https://api.fastly.com/public-ip-list>, as it was in October 2026.
const FASTLY: &[&str] = &[
    "23.235.32.0/20",
    "43.249.72.0/22",
    "103.244.50.0/24",
    "103.245.222.0/23",
    "103.245.224.0/24",
    "104.156.80.0/20",
    "140.248.64.0/18",
    "140.248.128.0/17",
    "146.75.0.0/17",
    "151.101.0.0/16",
    "157.52.64.0/18",
    "167.82.0.0/17",
    "167.82.128.0/20",
    "167.82.160.0/20",
    "167.82.224.0/20",
    "172.111.64.0/18",
    "185.31.16.0/22",
    "199.27.72.0/21",
    "199.232.0.0/16",
    "2a04:4e40::/32",
    "2a04:4e42::/32",
];
/// From where Google's front ends reach a backend, <https://cloud.google.com/load-balancing/docs/firewall-rules>.
/// They write the load balancer's own public address behind the visitor's; that one the operator must add.
const GOOGLE: &[&str] =
    &["35.191.0.0/16", "130.211.0.0/22", "2600:2d00:1:b029::/64", "2600:2d00:1:1::/64"];

/// One value of the flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TrustedProxy(Vec<IpNet>);

impl TrustedProxy {
    pub(crate) fn networks(&self) -> impl Iterator<Item = IpNet> {
        self.0.iter().copied()
    }

    /// Reads a name, a network or a single address.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let address = || text.parse::<IpAddr>().map(IpNet::from);
        let networks = match text {
            "loopback" => LOOPBACK,
            "private" => PRIVATE,
            "cloudflare" => CLOUDFLARE,
            "fastly" => FASTLY,
            "google" => GOOGLE,
            _ => {
                let network = text.parse().or_else(|_| address());
                return network.map(|network| Self(vec![network])).map_err(|_| {
                    "not an address such as 10.0.0.1, a network such as 10.0.0.0/8, or one of \
                     loopback, private, cloudflare, fastly, google"
                        .to_owned()
                });
            }
        };
        let networks = networks.iter().map(|network| network.parse());
        networks.collect::<Result<_, _>>().map(Self).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusts(text: &str, ip: &str) -> bool {
        let proxy = TrustedProxy::parse(text).unwrap();
        proxy.networks().any(|network| network.contains(&ip.parse::<IpAddr>().unwrap()))
    }

    #[test]
    fn a_name_stands_for_its_networks() {
        assert!(trusts("loopback", "127.0.0.1") && trusts("loopback", "::1"));
        assert!(trusts("private", "172.31.255.1") && trusts("private", "fd00::1"));
        assert!(!trusts("private", "172.32.0.1") && !trusts("private", "127.0.0.1"));
        assert!(trusts("cloudflare", "172.71.1.1") && trusts("cloudflare", "2606:4700::1"));
        assert!(!trusts("cloudflare", "104.28.0.1") && !trusts("cloudflare", "10.0.0.1"));
        assert!(trusts("fastly", "151.101.1.1") && trusts("fastly", "2a04:4e42::1"));
        assert!(!trusts("fastly", "146.75.128.1"));
        assert!(trusts("google", "35.191.9.9") && trusts("google", "2600:2d00:1:1::7"));
        assert!(!trusts("google", "35.192.0.1"));
        assert!(trusts("192.0.2.7", "192.0.2.7") && !trusts("192.0.2.7", "192.0.2.8"));
        assert!(TrustedProxy::parse("everybody").is_err());
    }

    #[test]
    fn every_network_of_the_tables_is_one() {
        for text in [LOOPBACK, PRIVATE, CLOUDFLARE, FASTLY, GOOGLE].concat() {
            let network: IpNet = text.parse().unwrap();
            assert_eq!(network.trunc(), network, "{text}");
        }
    }
}
