//! The table `[redis]`: what servers share besides the database.

use ::cable::fanout::redis::{Address, AddressError};
use serde::Deserialize;

/// The table `[redis]`: addresses and the prefix of keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    /// Where it is; empty: none.
    pub url: String,
    /// Begins the names of all keys.
    pub prefix: String,
    /// Host under which sites' backends reach it; empty: that of `url`.
    pub public_host: String,
    /// Port under which they do; 0: that of `url`.
    pub public_port: u16,
}

impl Redis {
    /// Why `url` cannot be used, if it cannot.
    pub(super) fn unusable(&self) -> Option<AddressError> {
        let url = Some(&self.url).filter(|url| !url.is_empty())?;
        url.parse::<Address>().err()
    }

    /// Host and port under which sites' backends reach it; `None` where there is no Redis.
    #[must_use]
    pub fn public_address(&self) -> Option<(String, u16)> {
        const LOCAL: (&str, u16) = ("127.0.0.1", 6379);
        if self.url.is_empty() {
            return None;
        }
        let address = self.url.parse::<Address>().ok();
        let (host, port) = address
            .as_ref()
            .and_then(Address::host_and_port)
            .unwrap_or(LOCAL);
        let host = Some(self.public_host.as_str())
            .filter(|host| !host.is_empty())
            .unwrap_or(host);
        let port = Some(self.public_port)
            .filter(|port| *port != 0)
            .unwrap_or(port);
        Some((host.to_owned(), port))
    }
}
