//! Sign-ons in the database. Each step from one state to another is a single statement that names
//! the state it leaves, so that of two requests at once only one takes it.

use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryOrder, QuerySelect, Select,
    UpdateMany,
    entity::prelude::*,
    sea_query::{CaseStatement, Expr, ExprTrait},
};

use super::model::{ActiveModel, Column, Entity, SignOn, State};
use crate::{
    client::Client,
    device::Device,
    platform::{
        clock::{Moment, SKEW, seconds},
        config,
        issued::Issued,
    },
    site::Liveness,
};

pub(super) async fn insert(db: &impl ConnectionTrait, sign_on: ActiveModel) -> Result<(), DbErr> {
    Entity::insert(sign_on).exec_without_returning(db).await?;
    Ok(())
}

/// An attempt of the client whose phone asks; decoys are none.
pub(super) async fn find_for_device(
    db: &impl ConnectionTrait,
    device: &Device,
    id: Uuid,
) -> Result<Option<SignOn>, DbErr> {
    Entity::find_by_id(id)
        .filter(Column::SiteId.eq(device.site_id))
        .filter(Column::ClientId.eq(device.client_id))
        .filter(Column::Decoy.eq(false))
        .one(db)
        .await
}

/// An attempt on a site.
pub(super) async fn find_on_site(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    id: Uuid,
) -> Result<Option<SignOn>, DbErr> {
    Entity::find_by_id(id)
        .filter(Column::SiteId.eq(site_id))
        .one(db)
        .await
}

/// The attempt that a verification token names; the token is the capability.
pub(super) async fn find_by_token(
    db: &DatabaseConnection,
    token_hash: Vec<u8>,
) -> Result<Option<SignOn>, DbErr> {
    Entity::find()
        .filter(Column::TokenHash.eq(token_hash))
        .one(db)
        .await
}

/// The attempt that a client session token proves; the token is the capability.
pub(super) async fn find_by_session(
    db: &DatabaseConnection,
    session_hash: Vec<u8>,
) -> Result<Option<SignOn>, DbErr> {
    Entity::find()
        .filter(Column::SessionHash.eq(session_hash))
        .one(db)
        .await
}

/// Open attempts of the phone's client, the newest first.
pub(super) async fn open_for_device(
    db: &DatabaseConnection,
    device: &Device,
    now: Moment,
) -> Result<Vec<SignOn>, DbErr> {
    Entity::find()
        .filter(Column::SiteId.eq(device.site_id))
        .filter(Column::ClientId.eq(device.client_id))
        .filter(Column::Decoy.eq(false))
        .filter(Column::State.eq(State::Pending))
        .filter(Column::ExpiresAt.gt(now))
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id)
        .all(db)
        .await
}

/// Attempts of the phone's client that are over, the newest first, at most so many.
pub(super) async fn over_for_device(
    db: &impl ConnectionTrait,
    device: &Device,
    most: u64,
) -> Result<Vec<SignOn>, DbErr> {
    over(device, most).all(db).await
}

/// The same of those alone that this phone answered itself.
pub(super) async fn over_by_device(
    db: &impl ConnectionTrait,
    device: &Device,
    most: u64,
) -> Result<Vec<SignOn>, DbErr> {
    let own = over(device, most).filter(Column::DeviceId.eq(device.id));
    own.all(db).await
}

fn over(device: &Device, most: u64) -> Select<Entity> {
    Entity::find()
        .filter(Column::SiteId.eq(device.site_id))
        .filter(Column::ClientId.eq(device.client_id))
        .filter(Column::Decoy.eq(false))
        .filter(Column::State.ne(State::Pending))
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id)
        .limit(most)
}

fn pending(id: Uuid) -> UpdateMany<Entity> {
    Entity::update_many()
        .filter(Column::Id.eq(id))
        .filter(Column::State.eq(State::Pending))
}

/// Gives the attempt a challenge, which asks for a living person in this way; `false` when it has one.
pub(super) async fn give_challenge(
    db: &impl ConnectionTrait,
    id: Uuid,
    (nonce, liveness): (Issued, Option<Liveness>),
    now: Moment,
) -> Result<bool, DbErr> {
    let given = pending(id)
        .filter(Column::ExpiresAt.gt(now))
        .filter(Column::ChallengeHash.is_null())
        .set(ActiveModel {
            challenge_hash: Set(Some(nonce.hash)),
            challenge_sealed: Set(Some(nonce.sealed)),
            challenge_at: Set(Some(nonce.at)),
            challenge_until: Set(Some(nonce.until)),
            liveness: Set(liveness),
            ..Default::default()
        })
        .exec(db)
        .await?;
    Ok(given.rows_affected == 1)
}

/// A try that failed.
pub(super) struct Spent {
    /// Hash of the challenge that is spent with it.
    pub(super) nonce_hash: Vec<u8>,
    /// Code of the failure.
    pub(super) failure: i32,
    /// Whether it ends the attempt, however many tries are left.
    pub(super) is_final: bool,
}

/// Spends a try and the challenge with it; the last one ends the attempt.
pub(super) async fn spend_try(
    db: &impl ConnectionTrait,
    id: Uuid,
    spent: Spent,
    device_id: Option<Uuid>,
    now: Moment,
) -> Result<bool, DbErr> {
    let cost = || {
        if spent.is_final {
            Expr::col(Column::TriesLeft)
        } else {
            Expr::value(1)
        }
    };
    let last = || Expr::col(Column::TriesLeft).lte(cost());
    let state = CaseStatement::new()
        .case(last(), "failed")
        .finally(Expr::col(Column::State));
    let decided_at = CaseStatement::new()
        .case(last(), now)
        .finally(Expr::col(Column::DecidedAt));
    let redeemed = pending(id)
        .filter(Column::ChallengeHash.eq(spent.nonce_hash))
        .filter(Column::ExpiresAt.gt(now))
        .col_expr(Column::State, state.into())
        .col_expr(Column::DecidedAt, decided_at.into())
        .col_expr(Column::TriesLeft, Expr::col(Column::TriesLeft).sub(cost()))
        .col_expr(Column::ChallengeHash, Expr::value(None::<Vec<u8>>))
        .col_expr(Column::Failure, Expr::value(spent.failure))
        .col_expr(Column::DeviceId, Expr::value(device_id))
        .exec(db)
        .await?;
    Ok(redeemed.rows_affected == 1)
}

/// Ends the attempt well and spends its challenge.
pub(super) async fn verify(
    db: &impl ConnectionTrait,
    id: Uuid,
    nonce_hash: Vec<u8>,
    device_id: Option<Uuid>,
    session: (Vec<u8>, Moment),
    now: Moment,
) -> Result<bool, DbErr> {
    let (session_hash, session_expires_at) = session;
    let verified = pending(id)
        .filter(Column::ChallengeHash.eq(nonce_hash))
        .filter(Column::ExpiresAt.gt(now))
        .set(ActiveModel {
            state: Set(State::Verified),
            challenge_hash: Set(None),
            decided_at: Set(Some(now)),
            device_id: Set(device_id),
            session_hash: Set(Some(session_hash)),
            session_expires_at: Set(Some(session_expires_at)),
            ..Default::default()
        })
        .exec(db)
        .await?;
    Ok(verified.rows_affected == 1)
}

/// Ends an attempt that still waits, before its time (`open_at`) or after it (`None`).
pub(super) async fn end(
    db: &impl ConnectionTrait,
    id: Uuid,
    state: State,
    device_id: Option<Uuid>,
    open_at: Option<Moment>,
    now: Moment,
) -> Result<bool, DbErr> {
    let mut update = pending(id);
    if let Some(moment) = open_at {
        update = update.filter(Column::ExpiresAt.gt(moment));
    }
    let ended = update
        .set(ActiveModel {
            state: Set(state),
            challenge_hash: Set(None),
            decided_at: Set(Some(now)),
            device_id: Set(device_id),
            ..Default::default()
        })
        .exec(db)
        .await?;
    Ok(ended.rows_affected == 1)
}

/// Redeems a session token, once.
pub(super) async fn redeem(
    db: &impl ConnectionTrait,
    id: Uuid,
    now: Moment,
) -> Result<bool, DbErr> {
    let redeemed = Entity::update_many()
        .col_expr(Column::RedeemedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::State.eq(State::Verified))
        .filter(Column::RedeemedAt.is_null())
        .filter(Column::SessionExpiresAt.gt(now))
        .exec(db)
        .await?;
    Ok(redeemed.rows_affected == 1)
}

/// Most rows taken by a sweep at a time.
const BATCH: u64 = 500;

/// Attempts whose time ran out unnoticed, a batch of them.
pub(super) async fn overdue(db: &DatabaseConnection, now: Moment) -> Result<Vec<SignOn>, DbErr> {
    Entity::find()
        .filter(Column::State.eq(State::Pending))
        .filter(Column::ExpiresAt.lte(now))
        .limit(BATCH)
        .all(db)
        .await
}

/// Attempts asked of test identities by this moment that still wait, a batch of them: their sites and
/// they.
pub(super) async fn waiting_for_test_identities(
    db: &DatabaseConnection,
    until: Moment,
) -> Result<Vec<(Uuid, Uuid)>, DbErr> {
    Entity::find()
        .select_only()
        .columns([Column::SiteId, Column::Id])
        .filter(Column::State.eq(State::Pending))
        .filter(Column::TestIdentity.is_not_null())
        .filter(Column::CreatedAt.lte(until))
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id)
        .limit(BATCH)
        .into_tuple()
        .all(db)
        .await
}

/// Attempts that ended by this moment and are not known to have been broadcast, a batch of them.
pub(super) async fn undelivered(
    db: &DatabaseConnection,
    until: Moment,
) -> Result<Vec<SignOn>, DbErr> {
    Entity::find()
        .filter(Column::DeliveredAt.is_null())
        .filter(Column::DecidedAt.lte(until))
        .order_by_asc(Column::DecidedAt)
        .limit(BATCH)
        .all(db)
        .await
}

/// Attempts that ended since this moment and were broadcast, the latest batch of them.
pub(super) async fn delivered_since(
    db: &DatabaseConnection,
    since: Moment,
) -> Result<Vec<SignOn>, DbErr> {
    Entity::find()
        .filter(Column::DeliveredAt.gte(since))
        .order_by_desc(Column::DeliveredAt)
        .limit(BATCH)
        .all(db)
        .await
}

/// Crosses out what was broadcast.
pub(super) async fn mark_delivered(
    db: &DatabaseConnection,
    ids: &[Uuid],
    now: Moment,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::DeliveredAt, Expr::value(now))
        .filter(Column::Id.is_in(ids.iter().copied()))
        .exec(db)
        .await?;
    Ok(())
}

/// The latest attempts of a client, the newest first, at most so many.
pub(super) async fn latest(
    db: &impl ConnectionTrait,
    client: &Client,
    most: u64,
) -> Result<Vec<SignOn>, DbErr> {
    Entity::find()
        .filter(Column::SiteId.eq(client.site_id))
        .filter(Column::ClientId.eq(client.id))
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id)
        .limit(most)
        .all(db)
        .await
}

/// Attempts of a client that wait and were asked for by this browser.
pub(super) async fn waiting_from(
    db: &impl ConnectionTrait,
    client_id: Uuid,
    ip: &str,
    user_agent: &str,
) -> Result<Vec<SignOn>, DbErr> {
    Entity::find()
        .filter(Column::ClientId.eq(client_id))
        .filter(Column::State.eq(State::Pending))
        .filter(Column::Ip.eq(ip))
        .filter(Column::UserAgent.eq(user_agent))
        .all(db)
        .await
}

/// How many attempts on a site ended well since then, and how many of these its backend redeemed.
///
/// # Errors
/// When the database fails.
pub async fn redemptions(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    since: Moment,
) -> Result<(u64, u64), DbErr> {
    let verified = Entity::find()
        .filter(Column::SiteId.eq(site_id))
        .filter(Column::CreatedAt.gte(since))
        .filter(Column::State.eq(State::Verified));
    let redeemed = verified.clone().filter(Column::RedeemedAt.is_not_null());
    Ok((verified.count(db).await?, redeemed.count(db).await?))
}

/// Attempts of a client that still wait.
pub(super) async fn waiting_of(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    client_id: Uuid,
) -> Result<Vec<Uuid>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::SiteId.eq(site_id))
        .filter(Column::ClientId.eq(client_id))
        .filter(Column::State.eq(State::Pending))
        .into_tuple()
        .all(db)
        .await
}

/// Erases all attempts of a client. How many there were.
pub(super) async fn erase(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    client_id: Uuid,
) -> Result<u64, DbErr> {
    let erased = Entity::delete_many()
        .filter(Column::SiteId.eq(site_id))
        .filter(Column::ClientId.eq(client_id))
        .exec(db)
        .await?;
    Ok(erased.rows_affected)
}

/// Ends sign-ons, and proofs of them, no later than they could end if they began now, after the clock was
/// ahead when they did.
///
/// # Errors
/// When the database fails.
pub async fn bound_lives(
    db: &impl ConnectionTrait,
    lives: &config::SignOn,
    now: Moment,
) -> Result<(), DbErr> {
    for (column, life) in [
        (Column::ExpiresAt, lives.lifetime),
        (Column::SessionExpiresAt, lives.session_lifetime),
        (Column::ChallengeUntil, lives.challenge_lifetime),
    ] {
        let latest = now + seconds(life);
        Entity::update_many()
            .col_expr(column, Expr::value(latest))
            .filter(column.gt(latest + SKEW))
            .exec(db)
            .await?;
    }
    Ok(())
}
