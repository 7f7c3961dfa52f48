//! Devices and seen proofs in the database.

use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryOrder,
    QuerySelect, Statement, entity::prelude::*, sea_query::Expr,
};

use super::{
    model::{ActiveModel, Column, Device, Entity},
    proof::{Proof, ProofError},
};
use crate::{
    platform::{
        clock::{Moment, SKEW, seconds},
        config::Lock,
        db,
        issued::Issued,
    },
    site,
};

#[allow(unreachable_pub, reason = "the derive makes its companions public")]
mod seen {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "device_proofs")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Vec<u8>,
        pub expires_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Keeps a proof from being accepted again.
pub(super) async fn remember(
    db: &DatabaseConnection,
    proof: &Proof,
    now: Moment,
) -> Result<(), ProofError> {
    let insert = seen::Entity::insert(seen::ActiveModel {
        id: Set(proof.id.clone()),
        // A proof may be dated a minute ahead and is fresh for a minute after that.
        expires_at: Set(now + seconds(180)),
    });
    match insert.exec_without_returning(db).await {
        Err(error) if db::is_duplicate(&error) => Err(ProofError::Replayed),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(()),
    }
}

/// Forgets proofs that are too old to be accepted anyway.
///
/// # Errors
/// When the database fails.
pub async fn forget_proofs(db: &DatabaseConnection, now: Moment) -> Result<(), DbErr> {
    seen::Entity::delete_many()
        .filter(seen::Column::ExpiresAt.lt(now))
        .exec(db)
        .await?;
    Ok(())
}

pub(super) async fn insert(db: &impl ConnectionTrait, device: ActiveModel) -> Result<(), DbErr> {
    Entity::insert(device).exec_without_returning(db).await?;
    Ok(())
}

/// The paired device with this token, bound to this key.
pub(super) async fn find_by_token(
    db: &DatabaseConnection,
    token_hash: Vec<u8>,
    thumbprint: &str,
    now: Moment,
) -> Result<Option<Device>, DbErr> {
    Entity::find()
        .filter(Column::TokenHash.eq(token_hash))
        .filter(Column::Thumbprint.eq(thumbprint))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::TokenExpiresAt.gt(now))
        .one(db)
        .await
}

/// A client's paired phones, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn paired(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    client_id: Uuid,
    now: Moment,
) -> Result<Vec<Device>, DbErr> {
    Entity::find()
        .filter(Column::SiteId.eq(site_id))
        .filter(Column::ClientId.eq(client_id))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::TokenExpiresAt.gt(now))
        .order_by_desc(Column::CreatedAt)
        .all(db)
        .await
}

/// Which of these phones are still paired, with whatever client of a site that is on.
///
/// # Errors
/// When the database fails.
pub async fn still_paired(
    db: &DatabaseConnection,
    ids: &[Uuid],
    now: Moment,
) -> Result<Vec<Uuid>, DbErr> {
    let mut paired: Vec<(Uuid, Uuid)> = Entity::find()
        .select_only()
        .columns([Column::Id, Column::SiteId])
        .filter(Column::Id.is_in(ids.iter().copied()))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::TokenExpiresAt.gt(now))
        .into_tuple()
        .all(db)
        .await?;
    let sites = site::some(db, paired.iter().map(|(_, site_id)| *site_id)).await?;
    let is_on = |id: Uuid| sites.iter().any(|site| site.id == id && site.is_enabled());
    paired.retain(|(_, site_id)| is_on(*site_id));
    Ok(paired.into_iter().map(|(id, _)| id).collect())
}

/// Whether the client ever had a phone, also one that was unpaired.
///
/// # Errors
/// When the database fails.
pub async fn was_paired(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    client_id: Uuid,
) -> Result<bool, DbErr> {
    let count = Entity::find()
        .filter(Column::SiteId.eq(site_id))
        .filter(Column::ClientId.eq(client_id))
        .count(db)
        .await?;
    Ok(count > 0)
}

/// Unpairs a phone: its token and its push address are worth nothing from now on. `false` when the
/// client has no such phone.
pub(super) async fn revoke(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    client_id: Uuid,
    id: Uuid,
    now: Moment,
) -> Result<bool, DbErr> {
    let revoked = Entity::update_many()
        .set(ActiveModel {
            revoked_at: Set(Some(now)),
            push: Set(super::Push::None),
            challenge_hash: Set(None),
            ..Default::default()
        })
        .filter(Column::Id.eq(id))
        .filter(Column::SiteId.eq(site_id))
        .filter(Column::ClientId.eq(client_id))
        .filter(Column::RevokedAt.is_null())
        .exec(db)
        .await?;
    Ok(revoked.rows_affected == 1)
}

/// Accepts a phone as its client's. `false` when they have no such phone.
pub(super) async fn confirm(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    client_id: Uuid,
    id: Uuid,
    now: Moment,
) -> Result<bool, DbErr> {
    let confirmed = Entity::update_many()
        .col_expr(Column::ConfirmedAt, Expr::value(Some(now)))
        .filter(Column::Id.eq(id))
        .filter(Column::SiteId.eq(site_id))
        .filter(Column::ClientId.eq(client_id))
        .filter(Column::RevokedAt.is_null())
        .exec(db)
        .await?;
    Ok(confirmed.rows_affected == 1)
}

/// Shortens locks of phones that end later than any set now would: a clock that has been set back since
/// set them.
///
/// # Errors
/// When the database fails.
pub async fn bound_locks(
    db: &impl ConnectionTrait,
    rules: &Lock,
    now: Moment,
) -> Result<(), DbErr> {
    let longest = now + seconds(rules.temporary_for);
    Entity::update_many()
        .col_expr(Column::LockedUntil, Expr::value(Some(longest)))
        .filter(Column::LockedUntil.gt(longest + SKEW))
        .exec(db)
        .await?;
    Ok(())
}

/// All phones that a client ever had.
///
/// # Errors
/// When the database fails.
pub async fn ids(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    client_id: Uuid,
) -> Result<Vec<Uuid>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::SiteId.eq(site_id))
        .filter(Column::ClientId.eq(client_id))
        .into_tuple()
        .all(db)
        .await
}

/// Erases all phones of a client. How many there were.
///
/// # Errors
/// When the database fails.
pub async fn erase(
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

pub(super) async fn change(
    db: &impl ConnectionTrait,
    device: &Device,
    change: ActiveModel,
) -> Result<(), DbErr> {
    Entity::update_many()
        .set(change)
        .filter(Column::Id.eq(device.id))
        .filter(Column::SiteId.eq(device.site_id))
        .exec(db)
        .await?;
    Ok(())
}

/// Notes that a device proved itself, and where it can be pushed to if that is new.
pub(super) async fn set_push(
    db: &impl ConnectionTrait,
    device: &Device,
    push: super::Push,
) -> Result<(), DbErr> {
    let push = ActiveModel {
        push: Set(push),
        push_lost_at: Set(None),
        ..Default::default()
    };
    change(db, device, push).await
}

pub(super) async fn note_seen(
    db: &DatabaseConnection,
    device: &Device,
    now: Moment,
) -> Result<(), DbErr> {
    let seen = ActiveModel {
        last_seen_at: Set(now),
        push_lost_at: Set(None),
        ..Default::default()
    };
    change(db, device, seen).await
}

/// Gives a device a nonce for enrolling a face; `false` when it has one.
///
/// # Errors
/// When the database fails.
pub async fn give_challenge(
    db: &impl ConnectionTrait,
    device: &Device,
    nonce: Issued,
) -> Result<bool, DbErr> {
    let given = Entity::update_many()
        .set(ActiveModel {
            challenge_hash: Set(Some(nonce.hash)),
            challenge_sealed: Set(Some(nonce.sealed)),
            challenge_at: Set(Some(nonce.at)),
            challenge_until: Set(Some(nonce.until)),
            ..Default::default()
        })
        .filter(Column::Id.eq(device.id))
        .filter(Column::SiteId.eq(device.site_id))
        .filter(Column::ChallengeHash.is_null())
        .exec(db)
        .await?;
    Ok(given.rows_affected == 1)
}

/// A phone of a site.
///
/// # Errors
/// When the database fails.
pub async fn find(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    id: Uuid,
) -> Result<Option<Device>, DbErr> {
    Entity::find_by_id(id)
        .filter(Column::SiteId.eq(site_id))
        .one(db)
        .await
}

/// How many paired phones are subscribed for a key of push services.
///
/// # Errors
/// When the database fails.
pub async fn subscribed_for(db: &impl ConnectionTrait, key: &str) -> Result<u64, DbErr> {
    // The text of the column is JSON, and the key base64url, whose `_` stands for any sign: 87 of them are no other's.
    const COUNT: &str = "\
        select count(*) as n from devices where revoked_at is null and cast(push as text) like $1";
    let values = [format!("%{key}%").into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), COUNT, values);
    let row = db.query_one_raw(statement).await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get("", "n"))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// How many paired phones are woken in this way.
///
/// # Errors
/// When the database fails.
pub async fn woken_by(db: &impl ConnectionTrait, kind: &str) -> Result<u64, DbErr> {
    subscribed_for(db, &format!("\"{kind}\"")).await
}

/// How many paired phones of a site are woken in this way.
///
/// # Errors
/// When the database fails.
pub async fn woken_at(db: &impl ConnectionTrait, site_id: Uuid, kind: &str) -> Result<u64, DbErr> {
    const COUNT: &str = "\
        select count(*) as n from devices where site_id = $1 and revoked_at is null and cast(push as text) like $2";
    let values = [site_id.into(), format!("%\"{kind}\"%").into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), COUNT, values);
    let row = db.query_one_raw(statement).await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get("", "n"))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Forgets where a phone is pushed to, unless it has said something else meanwhile. Where its app is gone, the phone is
/// not pushed to until it is heard of again.
///
/// # Errors
/// When the database fails.
pub async fn forget_push(
    db: &DatabaseConnection,
    device: &Device,
    lost_at: Option<Moment>,
) -> Result<(), DbErr> {
    let transaction = db::begin(db).await?;
    let held = Entity::find_by_id(device.id)
        .filter(Column::SiteId.eq(device.site_id))
        .lock_exclusive()
        .one(&transaction)
        .await?;
    if held.is_some_and(|held| held.push == device.push) {
        let gone = ActiveModel {
            push: Set(super::Push::None),
            push_lost_at: Set(lost_at),
            ..Default::default()
        };
        change(&transaction, device, gone).await?;
    }
    transaction.commit().await
}

/// The device as it is now.
///
/// # Errors
/// When the database fails.
pub async fn reread(db: &impl ConnectionTrait, device: &Device) -> Result<Option<Device>, DbErr> {
    Entity::find_by_id(device.id)
        .filter(Column::SiteId.eq(device.site_id))
        .one(db)
        .await
}

/// Takes the device's nonce back, once; `false` when it is not this one any more.
///
/// # Errors
/// When the database fails.
pub async fn take_challenge(
    db: &impl ConnectionTrait,
    device: &Device,
    nonce_hash: Vec<u8>,
) -> Result<bool, DbErr> {
    let taken = Entity::update_many()
        .col_expr(Column::ChallengeHash, Expr::value(None::<Vec<u8>>))
        .filter(Column::Id.eq(device.id))
        .filter(Column::SiteId.eq(device.site_id))
        .filter(Column::ChallengeHash.eq(nonce_hash))
        .exec(db)
        .await?;
    Ok(taken.rows_affected == 1)
}

/// Notes that a device enrolled a face: from now on its faces must match.
///
/// # Errors
/// When the database fails.
pub async fn used_right_to_replace(
    db: &impl ConnectionTrait,
    device: &Device,
) -> Result<(), DbErr> {
    let used = ActiveModel {
        may_replace_face: Set(false),
        ..Default::default()
    };
    change(db, device, used).await
}
