//! A site's own user in Redis: its name, and its password as a hash. The hash is what Redis keeps
//! too, so that the user can be made again in a Redis that has forgotten it.

use chrono::TimeDelta;
use sea_orm::{
    ActiveValue::Set, DatabaseConnection, DbErr, EntityTrait, QueryOrder, entity::prelude::*,
    sea_query::OnConflict,
};

use super::model::Site;
use crate::{
    audit::{Action, Entry},
    platform::{
        clock::Moment,
        db,
        keys::Keyring,
        secret::{self, Secret},
    },
};

/// The Redis user of one site, as it is kept.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "redis_users")]
pub struct Model {
    /// The site whose user it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub site_id: Uuid,
    /// `app_` and 16 hexadecimal digits.
    #[sea_orm(unique)]
    pub name: String,
    /// SHA-256 of the password.
    pub password_hash: Vec<u8>,
    /// When the password was made.
    pub created_at: DateTimeUtc,
    /// When the password ends, if that is known.
    pub expires_at: Option<DateTimeUtc>,
    /// Set when it was removed here; the row stays until Redis has been told.
    pub removed_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

pub use Model as RedisUser;

impl RedisUser {
    /// Whether Redis is to know it no more.
    #[must_use]
    pub fn is_over(&self, now: Moment) -> bool {
        self.removed_at.is_some() || self.expires_at.is_some_and(|until| until <= now)
    }
}

/// A site's user, unless it has none or it was removed.
///
/// # Errors
/// When the database fails.
pub async fn find_redis_user(
    db: &DatabaseConnection,
    site_id: Uuid,
) -> Result<Option<RedisUser>, DbErr> {
    Entity::find_by_id(site_id)
        .filter(Column::RemovedAt.is_null())
        .one(db)
        .await
}

/// Every site's user, also those that were removed, each with its site.
///
/// # Errors
/// When the database fails.
pub async fn all_redis_users(db: &DatabaseConnection) -> Result<Vec<(RedisUser, Site)>, DbErr> {
    let users = Entity::find().order_by_asc(Column::SiteId).all(db).await?;
    let mut sites: std::collections::HashMap<Uuid, Site> = super::all(db)
        .await?
        .into_iter()
        .map(|site| (site.id, site))
        .collect();
    Ok(users
        .into_iter()
        .filter_map(|user| sites.remove(&user.site_id).map(|site| (user, site)))
        .collect())
}

/// Gives a site a user, or the one it has a new password, which is shown this once.
///
/// # Errors
/// When the database fails.
pub async fn give_redis_user(
    db: &DatabaseConnection,
    keys: &Keyring,
    site: &Site,
    life: Option<TimeDelta>,
    now: Moment,
) -> Result<(RedisUser, Secret), DbErr> {
    let transaction = db::begin(db).await?;
    let password = Secret::generate("rp_");
    let fresh = ActiveModel {
        site_id: Set(site.id),
        name: Set(secret::public_name("app_", 8)),
        password_hash: Set(password.hash()),
        created_at: Set(now),
        expires_at: Set(life.map(|life| now + life)),
        removed_at: Set(None),
    };
    let mut known = OnConflict::column(Column::SiteId);
    known.update_columns([
        Column::PasswordHash,
        Column::CreatedAt,
        Column::ExpiresAt,
        Column::RemovedAt,
    ]);
    Entity::insert(fresh)
        .on_conflict(known)
        .exec_without_returning(&transaction)
        .await?;
    Entry::new(site.id, Action::RedisUserGiven)
        .record(&transaction, keys, now)
        .await?;
    transaction.commit().await?;
    let user = find_redis_user(db, site.id).await?;
    let user = user.ok_or_else(|| DbErr::RecordNotFound("redis_users".to_owned()))?;
    Ok((user, password))
}

/// Takes a site's user away; whether it had one.
///
/// # Errors
/// When the database fails.
pub async fn remove_redis_user(
    db: &DatabaseConnection,
    keys: &Keyring,
    site_id: Uuid,
    now: Moment,
) -> Result<bool, DbErr> {
    let transaction = db::begin(db).await?;
    let removed = Entity::update_many()
        .col_expr(Column::RemovedAt, Expr::value(now))
        .filter(Column::SiteId.eq(site_id))
        .filter(Column::RemovedAt.is_null())
        .exec(&transaction)
        .await?;
    if removed.rows_affected != 1 {
        transaction.rollback().await?;
        return Ok(false);
    }
    Entry::new(site_id, Action::RedisUserRemoved)
        .record(&transaction, keys, now)
        .await?;
    transaction.commit().await?;
    Ok(true)
}

/// Forgets a user that Redis does not know any more, unless it was given anew meanwhile.
///
/// # Errors
/// When the database fails.
pub async fn forget_redis_user(db: &DatabaseConnection, site_id: Uuid) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::SiteId.eq(site_id))
        .filter(Column::RemovedAt.is_not_null())
        .exec(db)
        .await?;
    Ok(())
}
