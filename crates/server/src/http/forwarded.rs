//! What proxies say about where a request came from: `Forwarded` (RFC 7239) and `X-Forwarded-For`.
//! Each proxy appends the address it was called from, so only the right end can be known, as far as
//! the proxies are trusted; everything further left is what the caller claims.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::http::HeaderMap;
use ipnet::IpNet;

use super::socket::Peer;

/// This machine.
const SELF: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Where a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// Who called: the first address from the right that is no trusted proxy.
    pub caller: IpAddr,
    /// For whom the caller says it calls.
    pub stated: Option<IpAddr>,
}

impl Origin {
    /// Walks from the connection's other end to the left. Whoever may open a Unix socket is trusted;
    /// who says nothing there is this machine itself.
    #[must_use]
    pub fn of(peer: Peer, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let is_trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
        let mut hops = hops(headers);
        let mut caller = match peer {
            Peer::Address(ip) => ip.to_canonical(),
            Peer::Proxy => match hops.pop() {
                Some(Some(hop)) => hop,
                Some(None) => {
                    return Self {
                        caller: SELF,
                        stated: None,
                    };
                }
                None => SELF,
            },
        };
        while is_trusted(&caller) {
            match hops.pop() {
                Some(Some(hop)) => caller = hop,
                Some(None) => {
                    return Self {
                        caller,
                        stated: None,
                    };
                }
                None => break,
            }
        }
        let mut stated = hops.pop().flatten();
        while stated.as_ref().is_some_and(is_trusted) {
            stated = hops.pop().flatten();
        }
        Self { caller, stated }
    }
}

/// The addresses in either header, the person's end first; `None` for what is no address. Where
/// both are there and disagree, a proxy wrote one and passed the other on unread: neither is
/// believed.
fn hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let de_facto = hops_in(headers, "x-forwarded-for", |hop| Some(hop));
    let standard = hops_in(headers, "forwarded", for_parameter);
    match (de_facto.is_empty(), standard.is_empty()) {
        (_, true) => de_facto,
        (true, false) => standard,
        (false, false) if de_facto == standard => standard,
        (false, false) => vec![None],
    }
}

fn hops_in(
    headers: &HeaderMap,
    name: &str,
    node: impl Fn(&str) -> Option<&str>,
) -> Vec<Option<IpAddr>> {
    headers
        .get_all(name)
        .iter()
        .flat_map(|value| value.to_str().unwrap_or("unreadable").split(','))
        .map(str::trim)
        .filter(|hop| !hop.is_empty())
        .map(|hop| node(hop).and_then(address))
        .collect()
}

/// `for=` of one element of `Forwarded`.
fn for_parameter(element: &str) -> Option<&str> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value)
    })
}

/// An address with or without quotes, brackets, port and zone, as proxies write them.
fn address(node: &str) -> Option<IpAddr> {
    let node = node.trim().trim_matches('"').trim();
    let inside = node
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
        .filter(|(_, port)| port.is_empty() || is_port(port))
        .map(|(inside, _)| inside);
    let bare = inside.unwrap_or(node);
    let bare = bare.split_once('%').map_or(bare, |(bare, _)| bare);
    bare.parse::<IpAddr>()
        .or_else(|_| node.parse::<SocketAddr>().map(|address| address.ip()))
        .ok()
        .map(|ip| ip.to_canonical())
}

fn is_port(text: &str) -> bool {
    text.strip_prefix(':')
        .is_some_and(|port| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Caller and stated address of a request with these headers.
    /// Without an address of the other end, it is a Unix socket.
    fn of(peer: &str, headers: &[(&'static str, &str)], trusted: &[&str]) -> (String, String) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        let peer = peer.parse().map_or(Peer::Proxy, Peer::Address);
        let origin = Origin::of(peer, &map, &trusted);
        let stated = origin.stated.map(|ip| ip.to_string());
        (origin.caller.to_string(), stated.unwrap_or_default())
    }

    const PROXIES: [&str; 1] = ["10.0.0.0/8"];
    const XFF: &str = "x-forwarded-for";

    #[test]
    fn only_trusted_proxies_are_looked_through() {
        let told = |peer, hops, trusted| of(peer, &[(XFF, hops)], trusted);
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(told("9.9.9.9", "1.2.3.4", &[]), pair("9.9.9.9", "1.2.3.4"));
        assert_eq!(told("10.0.0.1", "1.2.3.4", &PROXIES), pair("1.2.3.4", ""));
        let chain = "6.6.6.6, 1.2.3.4, 10.0.0.2";
        assert_eq!(
            told("10.0.0.1", chain, &PROXIES),
            pair("1.2.3.4", "6.6.6.6")
        );
        assert_eq!(told("10.0.0.1", "nonsense", &PROXIES), pair("10.0.0.1", ""));
        // What stands left of an address that is not trusted is only ever claimed.
        assert_eq!(
            told("9.9.9.9", "6.6.6.6, 1.2.3.4", &PROXIES),
            pair("9.9.9.9", "1.2.3.4")
        );
    }

    #[test]
    fn addresses_are_read_as_proxies_write_them() {
        for (written, read) in [
            ("203.0.113.1:5001", "203.0.113.1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("\"203.0.113.1\"", "203.0.113.1"),
            ("\"[2001:db8::1]:443\"", "2001:db8::1"),
            ("  203.0.113.1  ", "203.0.113.1"),
            ("fe80::1%eth0", "fe80::1"),
            ("::ffff:203.0.113.1", "203.0.113.1"),
        ] {
            assert_eq!(
                of("10.0.0.1", &[(XFF, written)], &PROXIES).0,
                read,
                "{written}"
            );
            let standard = format!("proto=https; For={written};by=203.0.113.43");
            assert_eq!(
                of("10.0.0.1", &[("forwarded", &standard)], &PROXIES).0,
                read,
                "{standard}"
            );
        }
        for written in [
            "unknown",
            "_hidden",
            "for=",
            "[1.2.3.4",
            "1.2.3.4:99999",
            "1.2.3",
            ";",
        ] {
            assert_eq!(
                of("10.0.0.1", &[(XFF, written)], &PROXIES).0,
                "10.0.0.1",
                "{written}"
            );
        }
    }

    #[test]
    fn who_may_open_the_socket_is_believed_and_nobody_further_left() {
        let told = |hops, trusted| of("", &[(XFF, hops)], trusted);
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(told("6.6.6.6, 1.2.3.4", &[]), pair("1.2.3.4", "6.6.6.6"));
        assert_eq!(told("1.2.3.4, 10.0.0.2", &PROXIES), pair("1.2.3.4", ""));
        assert_eq!(of("", &[], &PROXIES), pair("127.0.0.1", ""));
        let nobody = told("6.6.6.6, unknown", &["127.0.0.0/8"]);
        assert_eq!(nobody, pair("127.0.0.1", ""));
    }

    #[test]
    fn headers_that_contradict_each_other_are_not_believed() {
        let both = |standard: &str| {
            of(
                "10.0.0.1",
                &[(XFF, "1.2.3.4"), ("forwarded", standard)],
                &PROXIES,
            )
            .0
        };
        assert_eq!(both("for=1.2.3.4"), "1.2.3.4");
        assert_eq!(both("for=6.6.6.6"), "10.0.0.1");
        let lines = [(XFF, "6.6.6.6"), (XFF, "1.2.3.4")];
        assert_eq!(of("10.0.0.1", &lines, &PROXIES).0, "1.2.3.4");
    }
}
