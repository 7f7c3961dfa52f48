//! One line of the record, on its way into it.

use std::net::IpAddr;

use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr};
use uuid::Uuid;

use super::{action::Action, actor, chain::Content, log};
use crate::platform::{clock::Moment, db, keys::Keyring, network::Network};

/// The log of what concerns no single site: keys, and callers who are nobody's.
pub const INSTALLATION: Uuid = Uuid::nil();

/// One line of the record, begun with what always is there: who does it, and from where, is known.
#[derive(Debug, Clone)]
pub struct Entry {
    site_id: Uuid,
    action: Action,
    client_id: Option<Uuid>,
    device_id: Option<Uuid>,
    sign_on_id: Option<Uuid>,
    detail: String,
    network: Option<Network>,
}

impl Entry {
    /// Begins the entry: `action` was decided on site `site_id`.
    #[must_use]
    pub fn new(site_id: Uuid, action: Action) -> Self {
        Self {
            site_id,
            action,
            client_id: None,
            device_id: None,
            sign_on_id: None,
            detail: String::new(),
            network: None,
        }
    }

    /// What was decided.
    #[must_use]
    pub fn action(&self) -> Action {
        self.action
    }

    /// Names the client that it was done to.
    #[must_use]
    pub fn client(mut self, id: Uuid) -> Self {
        self.client_id = Some(id);
        self
    }

    /// Names the phone that it is about.
    #[must_use]
    pub fn device(mut self, id: Uuid) -> Self {
        self.device_id = Some(id);
        self
    }

    /// Names the sign-on that it was part of.
    #[must_use]
    pub fn sign_on(mut self, id: Uuid) -> Self {
        self.sign_on_id = Some(id);
        self
    }

    /// What else there is to say; never a secret, never a score.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Names the person's address where another one asks for them.
    #[must_use]
    pub fn from(mut self, ip: IpAddr) -> Self {
        self.network = Some(ip.into());
        self
    }

    /// Writes the line, in the transaction of what it tells about. From here to the end of it nobody
    /// else writes a line of the site: what else is to be done is done before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record(
        self,
        transaction: &DatabaseTransaction,
        keys: &Keyring,
        now: Moment,
    ) -> Result<(), DbErr> {
        let caller = actor::current();
        let network = self.network.or(caller.network);
        let content = Content {
            id: Uuid::new_v4(),
            site_id: self.site_id,
            client_id: self.client_id,
            device_id: self.device_id,
            sign_on_id: self.sign_on_id,
            action: self.action.as_str().to_owned(),
            actor: caller.actor.to_string(),
            network: network
                .map(|network| network.to_string())
                .unwrap_or_default(),
            detail: self.detail,
            created_at: now,
        };
        log::append(transaction, keys, content).await
    }

    /// Writes the line by itself, where it tells of nothing else that is written.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record_alone(
        self,
        db: &DatabaseConnection,
        keys: &Keyring,
        now: Moment,
    ) -> Result<(), DbErr> {
        let transaction = db::begin(db).await?;
        self.record(&transaction, keys, now).await?;
        transaction.commit().await
    }
}
