//! How often one network may ask for subscriptions on this server.
//!
//! In memory, not in the database as other limits are: pages subscribe in crowds when a server has
//! gone, and a row written for each would slow them down.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use crate::{
    limit::Rate,
    platform::{clock::Moment, config::Limits, network::Network},
};

/// Most networks remembered. Then those whose time has come are forgotten, and if that is not
/// enough the table is begun anew, which is generous to all.
const MOST: usize = 100_000;

/// The arrival time of each network, as [`Rate`] has it.
#[derive(Default)]
pub struct Attempts(Mutex<HashMap<Network, i64>>);

impl Attempts {
    /// Lets an attempt through, or not. The machine itself is not limited: what comes from there
    /// is a proxy that `trusted_proxies` does not name, and stands for everyone.
    #[must_use]
    pub fn allow(&self, ip: IpAddr, limits: &Limits, now: Moment) -> bool {
        let network = Network::from(ip);
        if network.is_loopback() {
            return true;
        }
        let rate = Rate::new(limits.subscribe_per_ip, limits.window);
        let now = now.timestamp_micros();
        let mut arrivals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if arrivals.len() >= MOST {
            arrivals.retain(|_, arrival| *arrival > now);
            if arrivals.len() >= MOST {
                arrivals.clear();
            }
        }
        let arrival = arrivals.entry(network).or_insert(now);
        let next = rate.take(*arrival, now);
        if let Ok(next) = next {
            *arrival = next;
        }
        next.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::{
        clock::{Clock, SystemClock, seconds},
        config::{Overrides, Settings},
    };

    #[test]
    fn so_many_at_once_and_then_one_each_interval() {
        let mut limits = Settings::load(&Overrides::default()).unwrap().limits;
        (limits.window, limits.subscribe_per_ip) = (300, 3);
        let attempts = Attempts::default();
        let now = SystemClock.now();
        let ask = |ip: &str, now| attempts.allow(ip.parse().unwrap(), &limits, now);
        let answers: Vec<bool> = (0..4).map(|_| ask("192.0.2.1", now)).collect();
        assert_eq!(answers, [true, true, true, false]);
        assert!(ask("192.0.2.2", now));
        assert!(ask("192.0.2.1", now + seconds(100)));
        assert!(!ask("192.0.2.1", now + seconds(100)));
        assert!((0..9).all(|_| ask("127.0.0.1", now)));
        assert!(ask("192.0.2.3", now + seconds(86_400)) && ask("192.0.2.3", now));
        let sixes: Vec<bool> = (0..4)
            .map(|n| ask(&format!("2001:db8::{n}"), now))
            .collect();
        assert_eq!(sixes, [true, true, true, false]);
    }
}
