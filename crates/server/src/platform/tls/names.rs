//! What this machine is called in its own network.

use std::{
    collections::BTreeSet,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ipnet::IpNet;
use rcgen::{CidrSubnet, GeneralSubtree};
use url::{Host, Url};

use super::TlsError;
use crate::platform::config::{Listen, Settings, TlsMode};

/// Networks that nobody owns (RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291), and this machine.
const PRIVATE: [&str; 9] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
];

/// Endings of names that nobody can register (RFC 6761, RFC 6762, RFC 8375, ICANN's `internal`, and
/// what routers call their networks).
const ENDINGS: [&str; 7] = [
    "localhost",
    "local",
    "internal",
    "home.arpa",
    "lan",
    "localdomain",
    "test",
];

/// A name or address that a certificate is for.
pub(super) type Name = Host<String>;

fn networks() -> impl Iterator<Item = IpNet> {
    PRIVATE.iter().filter_map(|text| text.parse().ok())
}

/// Whether an authority of our own may vouch for it: nobody else can have the same.
pub(super) fn is_private(name: &Name) -> bool {
    let within = |ip: IpAddr| networks().any(|network| network.contains(&ip));
    match name {
        Host::Ipv4(ip) => within((*ip).into()),
        Host::Ipv6(ip) => within((*ip).into()),
        Host::Domain(name) => ENDINGS.iter().any(|ending| {
            name.strip_suffix(ending)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        }),
    }
}

/// The same as a certificate says it (RFC 5280, section 4.2.1.10).
pub(super) fn permitted() -> Vec<GeneralSubtree> {
    let networks = networks().map(|network| {
        let subnet = CidrSubnet::from_addr_prefix(network.addr(), network.prefix_len());
        GeneralSubtree::IpAddress(subnet)
    });
    let names = ENDINGS.map(|ending| GeneralSubtree::DnsName(ending.into()));
    networks.chain(names).collect()
}

/// Every private name and address of this machine, and those that the settings add.
///
/// # Errors
/// When the settings add one that is not private, or the system does not say its addresses.
pub(super) fn of(settings: &Settings) -> Result<Vec<Name>, TlsError> {
    let mut names: Vec<Name> = vec![
        Host::Domain("localhost".into()),
        Host::Ipv4(Ipv4Addr::LOCALHOST),
        Host::Ipv6(Ipv6Addr::LOCALHOST),
    ];
    names.extend(addresses().map_err(TlsError::Addresses)?.map(host));
    if let Some(name) = own_name() {
        names.push(Host::Domain(format!("{name}.local")));
    }
    let public_url = Url::parse(&settings.server.public_url).ok();
    let mut wanted: Vec<String> = settings.tls.names.clone();
    wanted.extend(public_url.and_then(|url| url.host_str().map(str::to_owned)));
    if let Listen::Network { host, .. } = &settings.server.listen
        && !settings.server.listen.is_everywhere()
    {
        wanted.push(host.clone());
    }
    for text in wanted {
        // As the address of a page has it: an IPv6 address without brackets is one too.
        let ip = text.parse::<IpAddr>().map(host);
        let name = ip
            .or_else(|_| Host::parse(&text))
            .map_err(|_| TlsError::Public(text.clone()))?;
        if !is_private(&name) {
            return Err(TlsError::Public(text));
        }
        names.push(name);
    }
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.to_string()));
    Ok(names)
}

/// Notes in the settings where others in the same network reach this machine, if it is to be reached by
/// whatever address it has and nobody else says it.
pub fn find_address(settings: &mut Settings) {
    if settings.tls.mode == TlsMode::Own && settings.server.listen.is_everywhere() {
        settings.lan_address = lan_address();
    }
}

fn lan_address() -> Option<IpAddr> {
    let mut found: Vec<IpAddr> = addresses().ok()?.collect();
    // People type the one of four numbers; link-local ones need the name of an interface beside them.
    found.sort_by_key(|ip| match ip {
        IpAddr::V4(ip) if ip.is_private() => 0,
        IpAddr::V4(ip) if !ip.is_link_local() => 1,
        IpAddr::V6(ip) if ip.is_unique_local() => 2,
        _ => 3,
    });
    found.into_iter().next()
}

fn addresses() -> io::Result<impl Iterator<Item = IpAddr>> {
    let found = if_addrs::get_if_addrs()?;
    let beyond = found
        .into_iter()
        .filter(|one| !one.is_loopback())
        .map(|one| one.ip());
    Ok(beyond.filter(|ip| is_private(&host(*ip))))
}

fn host(ip: IpAddr) -> Name {
    match ip {
        IpAddr::V4(ip) => Host::Ipv4(ip),
        IpAddr::V6(ip) => Host::Ipv6(ip),
    }
}

/// The first part of the machine's name, under which it answers in its network (RFC 6762).
fn own_name() -> Option<String> {
    let name = rustix::system::uname()
        .nodename()
        .to_str()
        .ok()?
        .to_lowercase();
    let first = name.split('.').next().unwrap_or_default().to_owned();
    let is_label = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    (!first.is_empty() && first != "localhost" && is_label(&first)).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::config::Overrides;

    fn named(names: &[&str], public_url: &str) -> Result<Vec<String>, TlsError> {
        let mut settings = Settings::load(&Overrides::default()).unwrap();
        settings.tls.names = names.iter().map(|name| (*name).to_owned()).collect();
        public_url.clone_into(&mut settings.server.public_url);
        let found = of(&settings)?;
        Ok(found.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_nobody_else_can_have_is_vouched_for_and_nothing_else() {
        let names = named(
            &["axiam.lan", "10.1.2.3", "fd00::7", "127.0.0.1"],
            "https://desk.local:3443",
        )
        .unwrap();
        for name in [
            "localhost",
            "axiam.lan",
            "10.1.2.3",
            "[fd00::7]",
            "desk.local",
        ] {
            assert_eq!(
                names.iter().filter(|one| *one == name).count(),
                1,
                "{name} in {names:?}"
            );
        }
        for public in [
            "example.com",
            "203.0.113.7",
            "2001:db8::1",
            "notlocal",
            "evil.xlocal",
            "",
        ] {
            let told = named(&[public], "").unwrap_err().to_string();
            assert!(
                told.contains("not a name or address of a private network"),
                "{public}: {told}"
            );
        }
        assert!(named(&[], "https://signin.example.com").is_err());
    }
}
