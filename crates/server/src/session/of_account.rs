//! The sessions of an account: listed, and ended from elsewhere.

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryOrder, entity::prelude::*,
};
use tower_sessions::Session;

use super::{
    model::{Column, Entity, SignedIn},
    store::hash,
};
use crate::platform::clock::Moment;

/// A session in which an account is signed in.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Names it; whoever knows it cannot use it.
    pub name: Vec<u8>,
    /// Since when, and in which browser.
    pub signed_in: SignedIn,
    /// When it ends, unless it is used before.
    pub expires_at: Moment,
}

/// What names a browser's own session in [`Kept`]; none before anything was remembered.
#[must_use]
pub fn name_of(session: &Session) -> Option<Vec<u8>> {
    session.id().map(hash)
}

/// The sessions of an account, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn kept(
    db: &DatabaseConnection,
    account_id: Uuid,
    now: Moment,
) -> Result<Vec<Kept>, DbErr> {
    let rows = Entity::find()
        .filter(Column::AccountId.eq(account_id))
        .filter(Column::ExpiresAt.gt(now))
        .order_by_desc(Column::CreatedAt)
        .all(db)
        .await?;
    let kept = rows.into_iter().filter_map(|row| {
        let mut data: serde_json::Value = serde_json::from_str(&row.data).ok()?;
        Some(Kept {
            name: row.id,
            signed_in: serde_json::from_value(data.get_mut(SignedIn::NAME)?.take()).ok()?,
            expires_at: row.expires_at,
        })
    });
    Ok(kept.collect())
}

/// Ends one session of an account; whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn end(db: &impl ConnectionTrait, account_id: Uuid, name: &[u8]) -> Result<bool, DbErr> {
    let ended = Entity::delete_many()
        .filter(Column::AccountId.eq(account_id))
        .filter(Column::Id.eq(name))
        .exec(db)
        .await?;
    Ok(ended.rows_affected == 1)
}

/// Ends all sessions of an account, but one if that is named. How many.
///
/// # Errors
/// When the database fails.
pub async fn end_all(
    db: &impl ConnectionTrait,
    account_id: Uuid,
    but: Option<&[u8]>,
) -> Result<u64, DbErr> {
    let mut all = Entity::delete_many().filter(Column::AccountId.eq(account_id));
    if let Some(name) = but {
        all = all.filter(Column::Id.ne(name));
    }
    Ok(all.exec(db).await?.rows_affected)
}
