//! Where the program listens.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    str::FromStr,
};

use serde::Deserialize;
use thiserror::Error;

/// An address of the network, or a Unix socket.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Listen {
    /// `host:port`, where the host is an address or a name, and port 0 stands for a free one.
    Network {
        /// An address without brackets, or a name.
        host: String,
        /// The port; 0 until the system has chosen one.
        port: u16,
    },
    /// `unix:/path`, for a proxy on the same machine.
    Unix(PathBuf),
}

/// A text that is neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "give an address and port such as 127.0.0.1:3000, a name and port such as localhost:3000, or \
     unix:/path of a socket"
)]
pub struct NoListen;

impl Listen {
    /// Whether only this machine reaches it, as far as its text tells.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Network { host, .. } => match host.parse::<IpAddr>() {
                Ok(ip) => ip.is_loopback(),
                Err(_) => host.eq_ignore_ascii_case("localhost"),
            },
        }
    }

    /// Whether it stands for every address of the machine, and so is none that can be called.
    #[must_use]
    pub fn is_everywhere(&self) -> bool {
        match self {
            Self::Unix(_) => false,
            Self::Network { host, .. } => {
                host.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified())
            }
        }
    }
}

impl FromStr for Listen {
    type Err = NoListen;

    fn from_str(text: &str) -> Result<Self, NoListen> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return match path {
                "" => Err(NoListen),
                path => Ok(Self::Unix(path.into())),
            };
        }
        let (host, port) = text.rsplit_once(':').ok_or(NoListen)?;
        let port = port.parse().map_err(|_| NoListen)?;
        let host = match host.strip_prefix('[').and_then(|v6| v6.strip_suffix(']')) {
            Some(inside) => inside,
            // Without brackets nobody knows where an IPv6 address ends.
            None if host.contains(':') => return Err(NoListen),
            None => host,
        };
        let is_name = |host: &str| {
            let odd = |c: char| c.is_whitespace() || "/?#@[]:".contains(c);
            !host.is_empty() && !host.contains(odd)
        };
        if host.parse::<IpAddr>().is_err() && !is_name(host) {
            return Err(NoListen);
        }
        Ok(Self::Network {
            host: host.to_owned(),
            port,
        })
    }
}

impl TryFrom<String> for Listen {
    type Error = NoListen;

    fn try_from(text: String) -> Result<Self, NoListen> {
        text.parse()
    }
}

impl From<SocketAddr> for Listen {
    fn from(address: SocketAddr) -> Self {
        Self::Network {
            host: address.ip().to_string(),
            port: address.port(),
        }
    }
}

/// As it is written in the settings, and behind `http://`.
impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Network { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_names_and_sockets_are_read() {
        for (text, shown, local) in [
            ("127.0.0.1:3000", "127.0.0.1:3000", true),
            ("localhost:0", "localhost:0", true),
            ("[::1]:3000", "[::1]:3000", true),
            ("0.0.0.0:80", "0.0.0.0:80", false),
            ("[::]:80", "[::]:80", false),
            ("signin.example.com:443", "signin.example.com:443", false),
            ("unix:/run/axiam.sock", "unix:/run/axiam.sock", true),
            ("unix:///run/axiam.sock", "unix:/run/axiam.sock", true),
        ] {
            let listen: Listen = text.parse().unwrap();
            assert_eq!(
                (listen.to_string().as_str(), listen.is_local()),
                (shown, local)
            );
            assert_eq!(shown.parse(), Ok(listen));
        }
    }

    #[test]
    fn what_cannot_be_listened_on_is_none() {
        for text in [
            "",
            "everywhere",
            "3000",
            ":3000",
            "localhost:",
            "localhost:http",
            "a:99999",
            "::1:3000",
            "http://localhost:3000",
            "a b:1",
            "unix:",
            "[::1]",
            "[::1:3000",
        ] {
            assert_eq!(text.parse::<Listen>(), Err(NoListen), "{text}");
        }
    }
}
