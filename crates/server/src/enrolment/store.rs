//! Enrolments in the database.

use chrono::TimeDelta;
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryOrder,
    entity::prelude::*, sea_query::Expr,
};

use super::model::{ActiveModel, Column, Enrolment, EnrolmentError, Entity, FlowType};
use crate::{
    audit::{self, Action, Entry, INSTALLATION},
    client::{self, Client},
    limit,
    platform::{
        clock::{Moment, SKEW},
        db,
        keys::Keyring,
        secret::{self, Secret},
        state::State,
    },
};

/// Offers `client` an enrolment, in the place of any that was offered before; the secret is shown this
/// once, in the code.
pub(super) async fn offer(
    state: &State,
    client: &Client,
    flow_type: FlowType,
    now: Moment,
    expires_at: Moment,
) -> Result<Secret, EnrolmentError> {
    let token = Secret::generate("et_");
    let transaction = db::begin(&state.db).await?;
    client::hold(&transaction, client.site_id, client.id).await?;
    Entity::update_many()
        .col_expr(Column::ExpiresAt, Expr::value(now))
        .filter(Column::SiteId.eq(client.site_id))
        .filter(Column::ClientId.eq(client.id))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec(&transaction)
        .await?;
    Entity::insert(ActiveModel {
        id: Set(Uuid::new_v4()),
        site_id: Set(client.site_id),
        client_id: Set(client.id),
        token_hash: Set(token.hash()),
        flow_type: Set(flow_type),
        expires_at: Set(expires_at),
        used_at: Set(None),
        created_at: Set(now),
    })
    .exec_without_returning(&transaction)
    .await?;
    Entry::new(client.site_id, Action::EnrolmentOffered)
        .client(client.id)
        .detail(flow_type.as_str())
        .record(&transaction, &state.keys, now)
        .await?;
    transaction.commit().await?;
    Ok(token)
}

/// Takes an enrolment up, once.
///
/// # Errors
/// [`EnrolmentError::Invalid`] when it is unknown, expired, or was taken up before.
pub async fn redeem(
    db: &impl ConnectionTrait,
    token: &str,
    now: Moment,
) -> Result<Enrolment, EnrolmentError> {
    let hash = secret::hash(token);
    let taken = Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now))
        .filter(Column::TokenHash.eq(hash.clone()))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec(db)
        .await?;
    if taken.rows_affected != 1 {
        return Err(EnrolmentError::Invalid);
    }
    Entity::find()
        .filter(Column::TokenHash.eq(hash))
        .one(db)
        .await?
        .ok_or(EnrolmentError::Invalid)
}

/// The code that a phone took up with this token, for as long as it would have lived.
///
/// # Errors
/// When the database fails.
pub async fn taken_up(
    db: &impl ConnectionTrait,
    token: &str,
    now: Moment,
) -> Result<Option<Enrolment>, DbErr> {
    Entity::find()
        .filter(Column::TokenHash.eq(secret::hash(token)))
        .filter(Column::UsedAt.is_not_null())
        .filter(Column::ExpiresAt.gt(now))
        .one(db)
        .await
}

/// The codes of a site that a phone may still be paired with, the latest first.
///
/// # Errors
/// When the database fails.
pub async fn open_codes(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    now: Moment,
) -> Result<Vec<Enrolment>, DbErr> {
    Entity::find()
        .filter(Column::SiteId.eq(site_id))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .order_by_desc(Column::CreatedAt)
        .all(db)
        .await
}

/// Takes a code back. `false` where the site has no such code that is open.
///
/// # Errors
/// When the database fails.
pub async fn revoke(
    db: &DatabaseConnection,
    keys: &Keyring,
    site_id: Uuid,
    id: Uuid,
    now: Moment,
) -> Result<bool, DbErr> {
    let transaction = db::begin(db).await?;
    let open = Entity::find_by_id(id)
        .filter(Column::SiteId.eq(site_id))
        .one(&transaction)
        .await?;
    let ended = Entity::update_many()
        .col_expr(Column::ExpiresAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::SiteId.eq(site_id))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec(&transaction)
        .await?;
    let Some(code) = open.filter(|_| ended.rows_affected == 1) else {
        transaction.rollback().await?;
        return Ok(false);
    };
    Entry::new(site_id, Action::EnrolmentRevoked)
        .client(code.client_id)
        .record(&transaction, keys, now)
        .await?;
    transaction.commit().await?;
    Ok(true)
}

/// What the client's latest code was for and when a phone took it up, if one did and the code would still
/// live.
///
/// # Errors
/// When the database fails.
pub async fn last_used(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    client_id: Uuid,
    now: Moment,
) -> Result<Option<(FlowType, Moment)>, DbErr> {
    let row = Entity::find()
        .filter(Column::SiteId.eq(site_id))
        .filter(Column::ClientId.eq(client_id))
        .filter(Column::UsedAt.is_not_null())
        .filter(Column::ExpiresAt.gt(now))
        .order_by_desc(Column::UsedAt)
        .one(db)
        .await?;
    Ok(row.and_then(|row| Some((row.flow_type, row.used_at?))))
}

/// Records that a code was refused: in the log of the site that gave it out, if any did.
///
/// # Errors
/// When the database fails.
pub async fn record_refused(state: &State, token: &str) -> Result<(), DbErr> {
    let row = Entity::find()
        .filter(Column::TokenHash.eq(secret::hash(token)))
        .one(&state.db)
        .await?;
    let entry = |site_id| Entry::new(site_id, Action::PairingRefused);
    match row {
        Some(row) => {
            let why = if row.used_at.is_some() {
                "the code was used"
            } else {
                "the code is too old"
            };
            let entry = entry(row.site_id).client(row.client_id).detail(why);
            limit::record_refusal(state, entry, row.id).await;
        }
        None => {
            let network = audit::current().network.map(|network| network.to_string());
            let entry = entry(INSTALLATION).detail("there is no such code");
            limit::record_refusal(state, entry, network.unwrap_or_default()).await;
        }
    }
    Ok(())
}

/// Forgets codes that ended before this moment, a batch of them; whether that was all.
///
/// # Errors
/// When the database fails.
pub async fn forget(db: &impl ConnectionTrait, before: Moment) -> Result<bool, DbErr> {
    db::forget::<Entity>(db, Column::Id, Column::ExpiresAt.lt(before)).await
}

/// Erases all codes of a client.
///
/// # Errors
/// When the database fails.
pub async fn erase(db: &impl ConnectionTrait, site_id: Uuid, client_id: Uuid) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::SiteId.eq(site_id))
        .filter(Column::ClientId.eq(client_id))
        .exec(db)
        .await?;
    Ok(())
}

/// Ends codes no later than they could end if they were made now, after the clock was ahead when they were.
///
/// # Errors
/// When the database fails.
pub async fn bound_lives(
    db: &impl ConnectionTrait,
    life: TimeDelta,
    now: Moment,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::ExpiresAt, Expr::value(now + life))
        .filter(Column::ExpiresAt.gt(now + life + SKEW))
        .exec(db)
        .await?;
    Ok(())
}
