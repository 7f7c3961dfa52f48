//! A site's secret keys: usually one, and several while backends are changed from one to the next.

use chrono::TimeDelta;
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryOrder,
    QuerySelect, entity::prelude::*,
};

use super::{model, model::Site};
use crate::{
    audit::{Action, Entry},
    platform::{
        clock::Moment,
        db,
        keys::Keyring,
        secret::{self, Secret},
    },
};

/// A secret key as it is kept.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "site_secrets")]
pub struct Model {
    /// SHA-256 of the key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: Vec<u8>,
    /// The site whose key it is.
    pub site_id: Uuid,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When a newer one took its place.
    pub replaced_at: Option<DateTimeUtc>,
    /// When it ends, if that is known.
    pub expires_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as SiteSecret;

impl SiteSecret {
    /// The beginning of its hash, by which operators name it: it tells nothing of the key.
    #[must_use]
    pub fn name(&self) -> String {
        hex::encode(&self.hash[..self.hash.len().min(4)])
    }

    fn is_live(&self, now: Moment) -> bool {
        self.expires_at.is_none_or(|until| until > now)
    }
}

/// How a site is given another secret key.
#[derive(Debug, Clone, Copy)]
pub struct Rotation {
    /// How long the present one is still taken; nothing where it was stolen, and then no older one is either.
    pub overlap: TimeDelta,
    /// How long the new one lives; for ever if it is not said.
    pub life: Option<TimeDelta>,
}

/// Makes a key known.
pub(super) async fn insert(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    key: &Secret,
    now: Moment,
    expires_at: Option<Moment>,
) -> Result<(), DbErr> {
    Entity::insert(ActiveModel {
        hash: Set(key.hash()),
        site_id: Set(site_id),
        created_at: Set(now),
        replaced_at: Set(None),
        expires_at: Set(expires_at),
    })
    .exec_without_returning(db)
    .await?;
    Ok(())
}

/// Whose key this is, while it is one.
pub(super) async fn owner(
    db: &DatabaseConnection,
    secret_key: &str,
    now: Moment,
) -> Result<Option<Uuid>, DbErr> {
    let found = Entity::find_by_id(secret::hash(secret_key)).one(db).await?;
    Ok(found.filter(|key| key.is_live(now)).map(|key| key.site_id))
}

/// The secret keys of a site that are taken, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn live_secrets(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    now: Moment,
) -> Result<Vec<SiteSecret>, DbErr> {
    let mut keys = Entity::find()
        .filter(Column::SiteId.eq(site_id))
        .order_by_desc(Column::CreatedAt)
        .all(db)
        .await?;
    keys.retain(|key| key.is_live(now));
    Ok(keys)
}

/// Gives a site another secret key, shown this once. Those of before are taken for as long as each was promised,
/// also where two operators do this at the same moment.
///
/// # Errors
/// When the database fails.
pub async fn rotate_secret(
    db: &DatabaseConnection,
    keys: &Keyring,
    site: &Site,
    rotation: Rotation,
    now: Moment,
) -> Result<Secret, DbErr> {
    let secret_key = Secret::generate("sk_");
    let until = now + rotation.overlap;
    let transaction = db::begin(db).await?;
    hold(&transaction, site.id).await?;
    for before in live_secrets(&transaction, site.id, now).await? {
        // Where one was stolen none of before is taken: nobody knows which it was.
        if before.replaced_at.is_none() || rotation.overlap <= TimeDelta::zero() {
            let until = before.expires_at.map_or(until, |end| end.min(until));
            end(&transaction, &before, until, now).await?;
        }
    }
    let expires_at = rotation.life.map(|life| now + life);
    insert(&transaction, site.id, &secret_key, now, expires_at).await?;
    let overlap = rotation.overlap.num_seconds();
    Entry::new(site.id, Action::SecretRotated)
        .detail(format!("the one before is taken for {overlap} s"))
        .record(&transaction, keys, now)
        .await?;
    transaction.commit().await?;
    Ok(secret_key)
}

/// Takes one secret key back, by the name that it is listed under. `false` where there is no such key.
///
/// # Errors
/// When the database fails.
pub async fn revoke_secret(
    db: &DatabaseConnection,
    keys: &Keyring,
    site: &Site,
    name: &str,
    now: Moment,
) -> Result<bool, DbErr> {
    let transaction = db::begin(db).await?;
    hold(&transaction, site.id).await?;
    let live = live_secrets(&transaction, site.id, now).await?;
    let Some(named) = live.iter().find(|key| key.name() == name) else {
        transaction.rollback().await?;
        return Ok(false);
    };
    end(&transaction, named, now, now).await?;
    Entry::new(site.id, Action::SecretRevoked)
        .detail(name)
        .record(&transaction, keys, now)
        .await?;
    transaction.commit().await?;
    Ok(true)
}

/// Holds a site until the transaction ends, so that its keys are changed one after another.
async fn hold(transaction: &impl ConnectionTrait, site_id: Uuid) -> Result<(), DbErr> {
    model::Entity::find_by_id(site_id)
        .lock_exclusive()
        .one(transaction)
        .await?;
    Ok(())
}

async fn end(
    db: &impl ConnectionTrait,
    key: &SiteSecret,
    until: Moment,
    now: Moment,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::ExpiresAt, Expr::value(until))
        .col_expr(Column::ReplacedAt, Expr::value(now))
        .filter(Column::Hash.eq(key.hash.clone()))
        .exec(db)
        .await?;
    Ok(())
}

/// Forgets keys that have ended.
///
/// # Errors
/// When the database fails.
pub async fn forget_secrets(db: &DatabaseConnection, now: Moment) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::ExpiresAt.lte(now))
        .exec(db)
        .await?;
    Ok(())
}
