//! Where a sign-on is asked for.

use std::net::IpAddr;

use crate::platform::{network::Network, state::State};

/// Where a sign-on was asked for, ready for display.
pub(in crate::sign_on) struct Origin {
    pub(in crate::sign_on) ip: IpAddr,
    /// Whether `ip` is the person's; else it is the backend's, which stands for everyone.
    pub(in crate::sign_on) is_stated: bool,
    pub(in crate::sign_on) user_agent: String,
}

impl Origin {
    /// As it is kept with the sign-on: empty where it is not known.
    pub(super) fn address(&self) -> String {
        if self.is_stated {
            self.ip.to_string()
        } else {
            String::new()
        }
    }

    /// City and country, for people to read.
    pub(super) fn place(&self, state: &State) -> String {
        if self.is_stated {
            state.places.of(self.ip)
        } else {
            String::new()
        }
    }

    pub(super) fn network(&self) -> String {
        network(&self.address())
    }
}

/// What a report freezes, of the address kept with a sign-on: its network, and nothing where none
/// was stated. That row only makes the next push ask for a number.
pub(super) fn network(address: &str) -> String {
    address
        .parse::<IpAddr>()
        .map_or_else(|_| String::new(), |ip| Network::from(ip).to_string())
}
