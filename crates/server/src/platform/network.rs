//! Where a request came from, as far as limits, freezes and locks should tell people apart.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

/// An IPv4 address, or the /64 that a subscriber of IPv6 has to himself (RFC 6177): its addresses are
/// one person's to choose from, so what counts them one by one counts nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl Network {
    /// Whether it is this machine itself.
    #[must_use]
    pub fn is_loopback(self) -> bool {
        self.0.is_loopback() || self == Self::from(IpAddr::V6(Ipv6Addr::LOCALHOST))
    }
}

impl From<IpAddr> for Network {
    fn from(ip: IpAddr) -> Self {
        Self(match ip.to_canonical() {
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
            v4 => v4,
        })
    }
}

/// As it is logged: `203.0.113.9` or `2001:db8::/64`.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(v4) => v4.fmt(f),
            IpAddr::V6(v6) => write!(f, "{v6}/64"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ip: &str) -> String {
        Network::from(ip.parse::<IpAddr>().unwrap()).to_string()
    }

    #[test]
    fn one_subscriber_is_one_network() {
        assert_eq!(of("203.0.113.9"), "203.0.113.9");
        assert_eq!(of("::ffff:203.0.113.9"), "203.0.113.9");
        assert_eq!(of("2001:db8:0:1::9"), "2001:db8:0:1::/64");
        assert_eq!(of("2001:db8:0:1:ffff::9"), of("2001:db8:0:1::1"));
        assert_ne!(of("2001:db8:0:2::9"), of("2001:db8:0:1::9"));
    }

    #[test]
    fn the_machine_itself_is_known() {
        for (ip, loopback) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("10.0.0.1", false),
            ("2001::1", false),
        ] {
            assert_eq!(
                Network::from(ip.parse::<IpAddr>().unwrap()).is_loopback(),
                loopback,
                "{ip}"
            );
        }
    }
}
