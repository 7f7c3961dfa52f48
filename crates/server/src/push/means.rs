//! What sending a push takes.

use sea_orm::DatabaseConnection;

use crate::platform::{
    clock::Moment, config::Settings, keys::Keyring, outgoing::Outgoing, state::State,
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
    /// The time.
    pub now: Moment,
}

impl<'a> Means<'a> {
    pub(super) fn of(state: &'a State, outgoing: &'a Outgoing) -> Self {
        Self {
            db: &state.db,
            keys: &state.keys,
            settings: &state.settings,
            outgoing,
            now: state.now(),
        }
    }
}
