//! Sites in the database.

use sea_orm::{
    ActiveValue::Set, DatabaseConnection, DbErr, EntityTrait, IntoActiveModel, QueryOrder,
    entity::prelude::*,
};

use super::{
    Domain,
    model::{ActiveModel, Column, Entity, NewSite, Site, SiteError},
};
use crate::platform::{clock::Moment, secret};

/// Registers a site at the domain in `url`.
///
/// # Errors
/// When there is no usable domain in it.
pub async fn create(db: &DatabaseConnection, url: &str, now: Moment) -> Result<NewSite, SiteError> {
    let new = NewSite::at(&Domain::parse(url)?, now);
    Entity::insert(new.site.clone().into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(new)
}

/// Every site, the oldest first. For the operator's command line.
///
/// # Errors
/// When the database fails.
pub async fn all(db: &DatabaseConnection) -> Result<Vec<Site>, DbErr> {
    Entity::find().order_by_asc(Column::CreatedAt).all(db).await
}

/// A site by its id, which a verified token or the operator named.
///
/// # Errors
/// When the database fails.
pub async fn find(db: &DatabaseConnection, id: Uuid) -> Result<Option<Site>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// The same, unless it is switched off.
///
/// # Errors
/// When the database fails.
pub async fn find_enabled(db: &DatabaseConnection, id: Uuid) -> Result<Option<Site>, DbErr> {
    Ok(find(db, id).await?.filter(Site::is_enabled))
}

/// The site of these keys. An unknown key takes the same steps as a wrong secret.
///
/// # Errors
/// [`SiteError::WrongKeys`] without saying what is wrong.
pub async fn authenticate(
    db: &DatabaseConnection,
    api_key: &str,
    secret_key: &str,
) -> Result<Site, SiteError> {
    // What cannot be a key is looked up as one that is nobody's; PostgreSQL would not take a NUL.
    let plain = api_key
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let api_key = if plain { api_key } else { "" };
    let row = Entity::find()
        .filter(Column::ApiKey.eq(api_key))
        .one(db)
        .await?;
    let given = secret::hash(secret_key);
    let nobodys = vec![0; given.len()];
    let stored = row.as_ref().map_or(&nobodys, |site| &site.secret_hash);
    let same = secret::same(stored, &given);
    row.filter(|site| same && site.is_enabled())
        .ok_or(SiteError::WrongKeys)
}

/// Stores the site's settings as they are in `site`.
///
/// # Errors
/// When the database fails.
pub async fn store_settings(db: &DatabaseConnection, site: &Site) -> Result<(), DbErr> {
    Entity::update_many()
        .set(ActiveModel {
            settings: Set(site.settings.clone()),
            ..Default::default()
        })
        .filter(Column::Id.eq(site.id))
        .exec(db)
        .await?;
    Ok(())
}
