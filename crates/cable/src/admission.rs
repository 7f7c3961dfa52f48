//! Who may come in: how many connections there may be, in all and of one peer.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::{Arc, Mutex};

use crate::sync::lock;

/// Why a connection is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The cable is [draining](crate::Cable::drain); another server will take the client.
    #[error("the server goes down")]
    Draining,
    /// The server holds [`Options::max_connections`](crate::Options::max_connections) already.
    #[error("too many connections")]
    Full,
    /// The peer has [`Options::max_connections_per_peer`](crate::Options::max_connections_per_peer).
    #[error("too many connections from this address")]
    PeerFull,
}

/// A place for one connection; dropping it gives the place back.
#[derive(Debug)]
pub struct Admission {
    admissions: Arc<Admissions>,
    peer: Option<IpAddr>,
}

#[derive(Debug)]
pub(crate) struct Admissions {
    max: usize,
    max_per_peer: usize,
    total: AtomicUsize,
    peers: Mutex<HashMap<IpAddr, usize>>,
}

impl Admissions {
    pub(crate) fn new(max: usize, max_per_peer: usize) -> Self {
        Self {
            max,
            max_per_peer,
            total: AtomicUsize::new(0),
            peers: Mutex::default(),
        }
    }

    pub(crate) fn admit(self: &Arc<Self>, peer: Option<IpAddr>) -> Result<Admission, Refusal> {
        let peer = peer.map(network_of);
        if self.total.fetch_add(1, SeqCst) >= self.max {
            self.total.fetch_sub(1, SeqCst);
            return Err(Refusal::Full);
        }
        if let Some(peer) = peer {
            let mut peers = lock(&self.peers);
            let count = peers.entry(peer).or_default();
            if *count >= self.max_per_peer {
                drop(peers);
                self.total.fetch_sub(1, SeqCst);
                return Err(Refusal::PeerFull);
            }
            *count += 1;
        }
        Ok(Admission {
            admissions: Arc::clone(self),
            peer,
        })
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.admissions.total.fetch_sub(1, Relaxed);
        let Some(peer) = self.peer else { return };
        let mut peers = lock(&self.admissions.peers);
        if let Some(count) = peers.get_mut(&peer) {
            *count -= 1;
            if *count == 0 {
                peers.remove(&peer);
            }
        }
    }
}

/// What counts as one peer: an IPv4 address, or the /64 that a subscriber of IPv6 has to himself
/// (RFC 6177).
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn places_are_counted_and_given_back() {
        let admissions = Arc::new(Admissions::new(3, 2));
        let first = admissions.admit(ip("192.0.2.1")).unwrap();
        let second = admissions.admit(ip("::ffff:192.0.2.1")).unwrap();
        assert_eq!(
            admissions.admit(ip("192.0.2.1")).unwrap_err(),
            Refusal::PeerFull,
            "an IPv4 address is the same in either notation"
        );
        let third = admissions.admit(ip("192.0.2.2")).unwrap();
        assert_eq!(admissions.admit(None).unwrap_err(), Refusal::Full);
        drop(first);
        let again = admissions.admit(ip("192.0.2.1")).unwrap();
        drop((second, third, again));
        assert_eq!(admissions.total.load(SeqCst), 0);
        assert!(lock(&admissions.peers).is_empty());
    }

    #[test]
    fn a_subscriber_of_ipv6_is_one_peer() {
        let admissions = Arc::new(Admissions::new(usize::MAX, 1));
        let _first = admissions.admit(ip("2001:db8:1:2::1")).unwrap();
        assert!(admissions.admit(ip("2001:db8:1:2:ffff::9")).is_err());
        assert!(admissions.admit(ip("2001:db8:1:3::1")).is_ok());
    }
}
