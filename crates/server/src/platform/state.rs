//! What every handler can reach: settings, database, clock, keys, engine, events.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use ipnet::IpNet;
use sea_orm::DatabaseConnection;

use crate::platform::{
    clock::{Clock, Moment},
    config::Settings,
    engine::Workers,
    events::Events,
    keys::Keyring,
    mail::Post,
    passwords::Passwords,
    places::Places,
    shares::Shares,
    wake_ups::WakeUps,
};

/// The program's state, shared by all requests.
pub type Shared = Arc<State>;

/// Built once at start; nothing in it is a second truth beside the database.
pub struct State {
    /// The settings in force.
    pub settings: Settings,
    /// The connections to the database.
    pub db: DatabaseConnection,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// The installation's keys, open.
    pub keys: Keyring,
    /// The workers that look at faces.
    pub engine: Workers,
    /// Where slices tell what happened.
    pub events: Events,
    /// Wakes phones of this server that wait for a sign-on.
    pub wake_ups: WakeUps,
    /// Proxies that are believed where a request came from.
    pub proxies: RwLock<Arc<[IpNet]>>,
    /// Where the browsers are that ask.
    pub places: Places,
    /// Other addresses that phones called this server by: each is told once.
    pub called: Mutex<BTreeSet<String>>,
    /// The workers that hash passwords.
    pub passwords: Passwords,
    /// Where letters go.
    pub post: Post,
    /// Kibibytes of uploads that may be in memory.
    pub uploads: Arc<Shares>,
    /// Phones that wait for a sign-on, each with a connection.
    pub polls: Arc<Shares>,
    /// Subscriptions of pages and phones over the cable.
    pub subscriptions: Arc<Shares>,
}

impl State {
    /// The present moment by this server's clock.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Proxies that are believed now.
    #[must_use]
    pub fn trusted_proxies(&self) -> Arc<[IpNet]> {
        let proxies = self.proxies.read();
        proxies.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Believes these proxies from now on.
    pub fn trust(&self, proxies: &[IpNet]) {
        let mut trusted = self.proxies.write().unwrap_or_else(PoisonError::into_inner);
        *trusted = proxies.into();
    }
}
