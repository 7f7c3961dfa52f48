//! Whether phones can reach the address that they are sent to.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use url::{Host, Url};

use super::finding::Finding;
use crate::platform::config::Settings;

/// How long the name service may take.
const NAME_SERVICE: Duration = Duration::from_secs(5);

/// Endings of names that the name service of the internet never knows (RFC 6761, RFC 6762, RFC 8375,
/// and ICANN's `internal`).
const PRIVATE: [&str; 8] = [
    ".local",
    ".localdomain",
    ".internal",
    ".lan",
    ".home.arpa",
    ".test",
    ".invalid",
    ".example",
];

/// Looks at `server.public_url`, and asks the name service for its host.
pub(super) async fn look(settings: &Settings) -> Finding {
    let listen = &settings.server.listen;
    let text = settings.public_url();
    let is_set = !settings.server.public_url.is_empty();
    // With a certificate of its own the program sends them to the address that it has found.
    if !is_set && listen.is_everywhere() && settings.lan_address.is_none() {
        return Finding::Wrong(format!(
            "listening on {listen} without server.public_url, so phones are sent to {text}, where \
             none gets: set it to the https:// address that phones use"
        ));
    }
    // The settings were checked, so it is one.
    let Some((url, host)) = Url::parse(&text).ok().and_then(|url| {
        let host = url.host()?.to_owned();
        Some((url, host))
    }) else {
        return Finding::Wrong(format!("{text} is no address"));
    };
    if is_loopback(&host) {
        return Finding::Mind(format!(
            "{text} is this machine itself, which no phone but its own reaches; before you leave it, set \
             server.public_url to the https:// address that phones use"
        ));
    }
    if url.scheme() != "https" {
        return Finding::Wrong(format!(
            "{text} is not https: browsers give pages there neither camera nor keys, and faces would travel \
             in the clear"
        ));
    }
    let port = url.port_or_known_default().unwrap_or(443);
    let found = match &host {
        Host::Domain(name) => resolve(name, port).await,
        Host::Ipv4(ip) => Ok(vec![IpAddr::V4(*ip)]),
        Host::Ipv6(ip) => Ok(vec![IpAddr::V6(*ip)]),
    };
    judge(&text, &host, found)
}

async fn resolve(name: &str, port: u16) -> Result<Vec<IpAddr>, String> {
    let asked = tokio::time::timeout(NAME_SERVICE, tokio::net::lookup_host((name, port))).await;
    match asked {
        Ok(Ok(found)) => Ok(found.map(|address| address.ip()).collect()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", NAME_SERVICE.as_secs())),
    }
}

/// What an https address is worth whose host is at these addresses.
fn judge(text: &str, host: &Host, found: Result<Vec<IpAddr>, String>) -> Finding {
    let name = host.to_string();
    let is_private_name = matches!(host, Host::Domain(_))
        && (!name.contains('.') || PRIVATE.iter().any(|ending| name.ends_with(ending)));
    match found {
        Err(reason) => Finding::Wrong(format!(
            "{text}: the name service does not know {name} ({reason}): make it known, or set \
             server.public_url to the address that phones use"
        )),
        Ok(found) if found.is_empty() => Finding::Wrong(format!(
            "{text}: the name service has no address for {name}"
        )),
        Ok(_) if is_private_name => Finding::Mind(format!(
            "{text}: {name} is a name of your own network, which a phone elsewhere does not know"
        )),
        Ok(found) if found.iter().all(|ip| is_private(ip.to_canonical())) => {
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            Finding::Mind(format!(
                "{text} is at {} for this machine: only phones in the same network get there, unless \
                 others are told another address",
                found.join(", ")
            ))
        }
        Ok(_) => Finding::Fine(text.to_owned()),
    }
}

fn is_loopback(host: &Host) -> bool {
    match host {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => IpAddr::V6(*ip).to_canonical().is_loopback(),
    }
}

/// Addresses that nobody outside of the own network can call (RFC 6890).
fn is_private(ip: IpAddr) -> bool {
    const SHARED: (Ipv4Addr, Ipv4Addr) =
        (Ipv4Addr::new(100, 64, 0, 0), Ipv4Addr::new(255, 192, 0, 0));
    match ip {
        IpAddr::V4(ip) => {
            ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_unspecified()
                || ip & SHARED.1 == SHARED.0
        }
        IpAddr::V6(ip) => {
            ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::config::{Overrides, TlsMode};

    fn settings(listen: &str, public_url: &str) -> Settings {
        let mut settings = Settings::load(&Overrides::default()).unwrap();
        settings.server.listen = listen.parse().unwrap();
        public_url.clone_into(&mut settings.server.public_url);
        settings
    }

    #[tokio::test]
    async fn addresses_that_no_phone_reaches_are_told() {
        for (listen, public_url, wrong, words) in [
            ("127.0.0.1:3000", "", false, "this machine itself"),
            (
                "127.0.0.1:3000",
                "http://localhost:3000",
                false,
                "this machine itself",
            ),
            (
                "127.0.0.1:3000",
                "https://[::1]",
                false,
                "this machine itself",
            ),
            (
                "127.0.0.1:3000",
                "https://192.168.1.5",
                false,
                "only phones in the same network",
            ),
            (
                "127.0.0.1:3000",
                "https://100.64.0.1",
                false,
                "only phones in the same network",
            ),
            ("0.0.0.0:3000", "", true, "sent to http://0.0.0.0:3000"),
            ("[::]:3000", "", true, "sent to http://[::]:3000"),
            ("192.0.2.7:3000", "", true, "is not https"),
            (
                "127.0.0.1:3000",
                "http://signin.example.com",
                true,
                "is not https",
            ),
            (
                "127.0.0.1:3000",
                "https://signin.invalid",
                true,
                "does not know signin.invalid",
            ),
        ] {
            let found = look(&settings(listen, public_url)).await;
            let (is_wrong, text) = match &found {
                Finding::Wrong(text) => (true, text),
                Finding::Mind(text) | Finding::Fine(text) => (false, text),
            };
            assert!(
                is_wrong == wrong && text.contains(words),
                "{listen} {public_url}: {found:?}"
            );
            assert!(!matches!(found, Finding::Fine(_)), "{found:?}");
        }
    }

    #[tokio::test]
    async fn an_address_that_was_found_is_one() {
        let mut settings = settings("0.0.0.0:3443", "");
        settings.tls.mode = TlsMode::Own;
        let nowhere = look(&settings).await;
        assert!(matches!(nowhere, Finding::Wrong(_)), "{nowhere:?}");
        settings.lan_address = Some("192.168.1.5".parse().unwrap());
        let found = look(&settings).await;
        let Finding::Mind(text) = &found else {
            panic!("{found:?}");
        };
        assert!(text.contains("https://192.168.1.5:3443"), "{text}");
    }

    #[test]
    fn an_address_of_the_internet_is_fine_and_a_name_of_the_own_network_is_not() {
        let judged = |name: &str, at: &str| {
            let host = Host::Domain(name.to_owned());
            judge("https://x", &host, Ok(vec![at.parse().unwrap()]))
        };
        for at in ["203.0.113.9", "2001:db8::1"] {
            assert!(
                matches!(judged("signin.example.com", at), Finding::Fine(_)),
                "{at}"
            );
            for name in ["signin", "signin.lan", "signin.home.arpa"] {
                assert!(matches!(judged(name, at), Finding::Mind(_)), "{name}");
            }
        }
        for at in [
            "10.0.0.1",
            "169.254.1.1",
            "fd00::1",
            "fe80::1",
            "::ffff:192.168.0.1",
        ] {
            assert!(
                matches!(judged("signin.example.com", at), Finding::Mind(_)),
                "{at}"
            );
        }
    }
}
