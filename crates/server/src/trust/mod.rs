//! How a phone comes to trust a certificate that this installation made itself.

pub mod pages;

/// The address of the page, as a phone opens it that does not trust the server yet: in plain text, for over TLS
/// it would only see a warning.
#[must_use]
pub fn address(public_url: &str) -> String {
    let rest = public_url.strip_prefix("https").unwrap_or(public_url);
    format!("http{rest}/trust")
}
