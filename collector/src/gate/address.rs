//! What counts as one address.

use std::net::IpAddr;

/// One IPv4 address, or one IPv6 network of 64 bits: the smallest that a line is given (RFC 6177), and
/// within which a device takes any number of addresses (RFC 8981).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Address {
    V4(u32),
    V6(u64),
}

impl Address {
    pub(super) fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => Self::V4(ip.to_bits()),
            IpAddr::V6(ip) => Self::V6((ip.to_bits() >> 64) as u64),
        }
    }

    /// As one number, beside a mark of what it is for.
    pub(super) const fn bits(self, mark: u32) -> u128 {
        let (family, bits) = match self {
            Self::V4(bits) => (4, bits as u64),
            Self::V6(bits) => (6, bits),
        };
        (mark as u128) << 96 | family << 64 | bits as u128
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_address_however_many_it_takes() {
        let address = |ip: &str| Address::of(ip.parse().unwrap());
        assert_eq!(address("2001:db8:1:2::1"), address("2001:db8:1:2:ffff::9"));
        assert_ne!(address("2001:db8:1:2::1"), address("2001:db8:1:3::1"));
        assert_ne!(address("192.0.2.1"), address("192.0.2.2"));
        assert_eq!(address("192.0.2.1"), address("::ffff:192.0.2.1"));
    }
}
