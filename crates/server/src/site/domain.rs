//! A site's domain, taken from whatever a person pastes.

use std::{fmt, net::IpAddr};

use thiserror::Error;
use url::{Host, Url};

/// Longest domain name, characters (RFC 1035, section 2.3.4).
const LONGEST: usize = 253;
/// Longest label, characters (RFC 1035, section 2.3.4).
const LONGEST_LABEL: usize = 63;

/// A registrable host name in lower-case ASCII without `www.` and port; or `localhost`, or an IP
/// address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain(String);

/// Why a text is no domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DomainError {
    /// Over the length a name may have.
    #[error("is too long")]
    TooLong,
    /// Not a host name or an http(s) address.
    #[error("is not a domain name or an http(s) address")]
    Malformed,
    /// A public suffix, under which others register names.
    #[error("is a public suffix, not a site's own domain")]
    PublicSuffix,
}

impl Domain {
    /// Extracts the domain from a URL or a host name.
    ///
    /// # Errors
    /// When there is none, or it can belong to no single site.
    pub fn parse(text: &str) -> Result<Self, DomainError> {
        let text = text.trim();
        if text.len() > 2048 {
            return Err(DomainError::TooLong);
        }
        let address = match text.split_once("://") {
            Some(("http" | "https" | "HTTP" | "HTTPS" | "Http" | "Https", _)) => text.to_owned(),
            Some(_) => return Err(DomainError::Malformed),
            None => format!("https://{text}"),
        };
        let url = Url::parse(&address).map_err(|_| DomainError::Malformed)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(DomainError::Malformed);
        }
        match url.host() {
            Some(Host::Domain(name)) => Self::from_name(name),
            Some(Host::Ipv4(ip)) => Self::from_ip(ip.into()),
            Some(Host::Ipv6(ip)) => Self::from_ip(ip.into()),
            None => Err(DomainError::Malformed),
        }
    }

    fn from_ip(ip: IpAddr) -> Result<Self, DomainError> {
        if ip.is_unspecified() || ip.is_multicast() {
            return Err(DomainError::Malformed);
        }
        Ok(Self(ip.to_string()))
    }

    fn from_name(name: &str) -> Result<Self, DomainError> {
        let name = name.strip_suffix('.').unwrap_or(name);
        if name.len() > LONGEST || name.split('.').any(|label| label.len() > LONGEST_LABEL) {
            return Err(DomainError::TooLong);
        }
        let well_formed = |label: &str| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        if !name.split('.').all(well_formed) {
            return Err(DomainError::Malformed);
        }
        if name == "localhost" {
            return Ok(Self(name.to_owned()));
        }
        let bare = name
            .strip_prefix("www.")
            .filter(|bare| is_registrable(bare));
        let name = bare.unwrap_or(name);
        if !is_registrable(name) {
            return Err(DomainError::PublicSuffix);
        }
        Ok(Self(name.to_owned()))
    }

    /// The name as it is stored and compared, in punycode.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a name has at least one label below its public suffix (publicsuffix.org).
fn is_registrable(name: &str) -> bool {
    psl::domain(name.as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_people_paste_is_normalised() {
        for (pasted, domain) in [
            ("https://Example.com:8443/path", "example.com"),
            ("www.example.com", "example.com"),
            ("  shop.example.co.uk/login?next=/ ", "shop.example.co.uk"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("localhost", "localhost"),
            ("http://localhost:3000", "localhost"),
            ("example.com.", "example.com"),
            ("127.0.0.1:8080", "127.0.0.1"),
            ("http://[::1]:8080/", "::1"),
            ("www.com", "www.com"),
        ] {
            assert_eq!(Domain::parse(pasted).unwrap().as_str(), domain, "{pasted}");
        }
    }

    #[test]
    fn what_is_no_sites_domain_is_refused() {
        let long = format!("{}.com", "a".repeat(300));
        for text in [
            "",
            "com",
            "co.uk",
            "exa mple.com",
            "127.0.0.1:99999",
            "1.2.3.4:port",
            &long,
            "ftp://example.com",
            "javascript:alert(1)",
            "https://user:pw@example.com",
            "intranet",
            "-a.com",
            "a..com",
            "exa_mple.com",
            "0.0.0.0",
            "https://",
            "<script>.com",
            "*.example.com",
        ] {
            assert!(Domain::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_is_stable(text in ".{0,300}") {
            if let Ok(domain) = Domain::parse(&text) {
                let again = match domain.as_str().parse::<std::net::Ipv6Addr>() {
                    Ok(ip) => Domain::parse(&format!("[{ip}]")),
                    Err(_) => Domain::parse(domain.as_str()),
                };
                prop_assert_eq!(again, Ok(domain));
            }
        }
    }
}
