//! What sending a push takes.

use sea_orm::DatabaseConnection;

use crate::platform::{
    clock::{Clock, Moment},
    config::Settings,
    keys::Keyring,
    outgoing::Outgoing,
    state::State,
};

/// What sending a push takes: a running server has it all, and so has a command beside it.
pub struct Means<'a> {
    /// Where phones and accounts are.
    pub db: &'a DatabaseConnection,
    /// Opens what is sealed, and signs.
    pub keys: &'a Keyring,
    /// Says who we are.
    pub settings: &'a Settings,
    /// The way out.
    pub outgoing: &'a Outgoing,
    /// Where the time comes from: what is waited for on the way may take long.
    pub clock: &'a dyn Clock,
}

impl<'a> Means<'a> {
    pub(super) fn of(state: &'a State, outgoing: &'a Outgoing) -> Self {
        Self {
            db: &state.db,
            keys: &state.keys,
            settings: &state.settings,
            outgoing,
            clock: &*state.clock,
        }
    }

    /// The present moment.
    pub(super) fn now(&self) -> Moment {
        self.clock.now()
    }
}
