//! From which pages a site's cable may be opened.

use serde::{Deserialize, Serialize};
use url::Url;

/// The allow-list of a site; empty, it stands for the site's domain.
///
/// An entry is an origin (`https://shop.example.com`, with the port if it is not the scheme's), a
/// host under any scheme and port (`shop.example.com`), or all hosts below one
/// (`*.example.com`, which is not `example.com` itself).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Origins(Vec<String>);

/// What a browser says of the page: scheme, host, and the port that is really meant.
struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let bare =
            matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        let plain = matches!(url.scheme(), "http" | "https") && url.username().is_empty();
        (bare && plain).then_some(())?;
        Some(Self {
            scheme: url.scheme().to_owned(),
            host: url
                .host_str()
                .filter(|host| !host.contains('*'))?
                .to_owned(),
            port: url.port_or_known_default(),
        })
    }
}

impl Origins {
    /// Whether a page from `origin` may connect. A client that names none is no browser: the list
    /// protects people in browsers, and anything else could claim what it likes.
    #[must_use]
    pub fn admit(&self, origin: Option<&str>, domain: &str) -> bool {
        origin.is_none_or(|origin| self.list(origin, domain))
    }

    /// Whether `origin` is listed; an empty list stands for `domain`, with or without `www.`.
    #[must_use]
    pub fn list(&self, origin: &str, domain: &str) -> bool {
        let Some(page) = Origin::parse(origin) else {
            return false;
        };
        if !self.0.is_empty() {
            return self.0.iter().any(|entry| covers(entry, &page));
        }
        let host = page.host.strip_prefix("www.").unwrap_or(&page.host);
        // An IPv6 address stands in brackets in an origin, and without in a domain.
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host == domain || page.host == domain
    }

    /// The first entry that is none.
    #[must_use]
    pub fn unusable(&self) -> Option<&str> {
        self.0.iter().map(String::as_str).find(|entry| {
            let host = entry.strip_prefix("*.").unwrap_or(entry);
            let usable = if entry.contains("://") {
                Origin::parse(entry).is_some()
            } else {
                host_of(host).is_some()
            };
            !usable
        })
    }
}

/// A host alone, in the form that addresses have it.
fn host_of(text: &str) -> Option<String> {
    let origin = Origin::parse(&format!("https://{text}/"))?;
    let alone = origin.port == Some(443) && !text.ends_with(":443") && !text.contains('/');
    alone.then_some(origin.host)
}

fn covers(entry: &str, page: &Origin) -> bool {
    if entry.contains("://") {
        return Origin::parse(entry).is_some_and(|allowed| {
            allowed.scheme == page.scheme && allowed.host == page.host && allowed.port == page.port
        });
    }
    match entry.strip_prefix("*.") {
        Some(parent) => host_of(parent).is_some_and(|parent| {
            page.host
                .strip_suffix(&parent)
                .is_some_and(|below| below.len() > 1 && below.ends_with('.'))
        }),
        None => host_of(entry).is_some_and(|host| host == page.host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(entries: &[&str]) -> Origins {
        Origins(entries.iter().map(|&entry| entry.to_owned()).collect())
    }

    #[test]
    fn a_client_without_origin_is_let_in_and_a_page_elsewhere_is_not() {
        assert!(!of(&[]).admit(Some("https://anywhere.example"), "a.example"));
        assert!(of(&[]).admit(Some("https://www.a.example"), "a.example"));
        assert!(of(&["https://a.example"]).admit(None, "b.example"));
    }

    #[test]
    fn entries_cover_what_they_say() {
        for (entry, origin, covered) in [
            ("https://a.example", "https://a.example", true),
            ("https://a.example:443", "https://a.example", true),
            ("https://A.Example", "https://a.example", true),
            ("https://a.example", "http://a.example", false),
            ("https://a.example", "https://a.example:8443", false),
            ("https://a.example:8443", "https://a.example:8443", true),
            ("a.example", "http://a.example:3000", true),
            ("a.example", "https://b.a.example", false),
            ("a.example", "https://a.example.evil.example", false),
            ("*.a.example", "https://b.a.example", true),
            ("*.a.example", "https://c.b.a.example:1", true),
            ("*.a.example", "https://a.example", false),
            ("*.a.example", "https://evila.example", false),
            ("localhost", "http://localhost:8080", true),
            ("b\u{fc}cher.example", "https://xn--bcher-kva.example", true),
            ("[::1]", "http://[::1]:3000", true),
            ("a.example", "null", false),
            ("a.example", "nonsense", false),
            ("a.example", "file://a.example", false),
            ("a.example", "https://a.example/path", false),
        ] {
            assert_eq!(
                of(&[entry]).admit(Some(origin), "b.example"),
                covered,
                "{entry} {origin}"
            );
        }
    }

    #[test]
    fn an_empty_list_stands_for_the_domain() {
        for (origin, listed) in [
            ("https://a.example", true),
            ("http://www.a.example:8080", true),
            ("https://shop.a.example", false),
            ("https://evila.example", false),
            ("null", false),
        ] {
            assert_eq!(of(&[]).list(origin, "a.example"), listed, "{origin}");
        }
        assert!(of(&[]).list("http://[::1]:3000", "::1"));
        assert!(of(&["b.example"]).list("https://b.example", "a.example"));
        assert!(!of(&["b.example"]).list("https://a.example", "a.example"));
    }

    #[test]
    fn entries_that_are_none_are_named() {
        for entry in [
            "",
            "*",
            "*.",
            "a.example/path",
            "https://",
            "ftp://a.example",
            "a.example:443",
            "a b",
            "https://u@a.example",
            "https://*.a.example",
        ] {
            assert_eq!(
                of(&["a.example", entry]).unusable(),
                Some(entry),
                "{entry:?}"
            );
        }
        assert_eq!(
            of(&["a.example", "*.b.example", "http://localhost:3000"]).unusable(),
            None
        );
    }
}
