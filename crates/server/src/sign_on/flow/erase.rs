//! Erasing a client's attempts.

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::decided;
use crate::{
    platform::{events::Verdict, state::State},
    sign_on::{freezes, store},
    site::Site,
};

/// What was erased of a client's attempts.
pub struct Erased {
    /// How many sign-ons of the client were erased.
    pub count: u64,
    /// Those that still waited.
    waiting: Vec<Uuid>,
}

/// Erases all attempts of a client, in the transaction that erases the client.
///
/// # Errors
/// When the database fails.
pub async fn erase(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    client_id: Uuid,
) -> Result<Erased, DbErr> {
    freezes::erase(db, client_id).await?;
    Ok(Erased {
        waiting: store::waiting_of(db, site_id, client_id).await?,
        count: store::erase(db, site_id, client_id).await?,
    })
}

impl Erased {
    /// Tells pages that wait for an erased attempt that it is over. After the transaction.
    pub fn tell(&self, state: &State, site: &Site, client_id: Uuid) {
        for id in &self.waiting {
            decided(state, site, client_id, *id, Verdict::Expired);
        }
    }
}
