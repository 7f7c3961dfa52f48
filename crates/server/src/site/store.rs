//! Sites in the database.

use std::collections::BTreeSet;

use sea_orm::{
    ActiveValue::Set, DatabaseConnection, DbErr, EntityTrait, IntoActiveModel, QueryOrder,
    QuerySelect, entity::prelude::*,
};

use super::{
    Domain,
    model::{ActiveModel, Column, Entity, NewSite, Site, SiteError, SiteSettings},
    secrets,
};
use crate::{
    audit::{Action, Entry, INSTALLATION},
    platform::{clock::Moment, db, keys::Keyring, state::State},
};

/// Registers a site at the domain in `url`.
///
/// # Errors
/// When there is no usable domain in it.
pub async fn create(
    db: &DatabaseConnection,
    keys: &Keyring,
    url: &str,
    now: Moment,
) -> Result<NewSite, SiteError> {
    let domain = Domain::parse(url)?;
    let made = create_as(db, keys, Uuid::new_v4(), &domain, now).await?;
    made.ok_or_else(|| DbErr::RecordNotInserted.into())
}

/// Registers a site under an id that a form was given before, so that a form which is sent twice makes one site;
/// `None` where it is there already.
///
/// # Errors
/// When the database fails.
pub async fn create_as(
    db: &DatabaseConnection,
    keys: &Keyring,
    id: Uuid,
    domain: &Domain,
    now: Moment,
) -> Result<Option<NewSite>, SiteError> {
    let mut new = NewSite::at(domain, now);
    new.site.id = id;
    let transaction = db::begin(db).await?;
    let inserted = Entity::insert(new.site.clone().into_active_model())
        .exec_without_returning(&transaction)
        .await;
    match inserted {
        Err(error) if db::is_duplicate(&error) => {
            transaction.rollback().await?;
            return Ok(None);
        }
        outcome => outcome?,
    };
    secrets::insert(&transaction, id, &new.secret_key, now, None).await?;
    Entry::new(id, Action::SiteCreated)
        .detail(&new.site.domain)
        .record(&transaction, keys, now)
        .await?;
    transaction.commit().await?;
    Ok(Some(new))
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

/// Those of these sites that are there, each once.
///
/// # Errors
/// When the database fails.
pub async fn some(
    db: &DatabaseConnection,
    ids: impl Iterator<Item = Uuid>,
) -> Result<Vec<Site>, DbErr> {
    let ids: BTreeSet<Uuid> = ids.collect();
    Entity::find().filter(Column::Id.is_in(ids)).all(db).await
}

/// The site of these keys. An unknown key takes the same steps as a wrong secret.
///
/// # Errors
/// [`SiteError::WrongKeys`] without saying what is wrong.
pub async fn authenticate(
    db: &DatabaseConnection,
    api_key: &str,
    secret_key: &str,
    now: Moment,
) -> Result<Site, SiteError> {
    let owner = secrets::owner(db, secret_key, now).await?;
    // Nothing more is read of a site that was only named: that would take its time.
    let named = id_by_key(db, api_key).await?;
    let Some(id) = named.filter(|id| owner == Some(*id)) else {
        return Err(SiteError::WrongKeys);
    };
    find_enabled(db, id).await?.ok_or(SiteError::WrongKeys)
}

async fn id_by_key(db: &DatabaseConnection, api_key: &str) -> Result<Option<Uuid>, DbErr> {
    // What cannot be a key is looked up as one that is nobody's; PostgreSQL would not take a NUL.
    let plain = api_key
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let api_key = if plain { api_key } else { "" };
    Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::ApiKey.eq(api_key))
        .into_tuple()
        .one(db)
        .await
}

/// Stores the site's settings as they are in `site`, and records what that changes.
///
/// # Errors
/// When the database fails.
pub async fn store_settings(
    db: &DatabaseConnection,
    keys: &Keyring,
    site: &Site,
    now: Moment,
) -> Result<(), DbErr> {
    let transaction = db::begin(db).await?;
    let before = Entity::find_by_id(site.id)
        .lock_exclusive()
        .one(&transaction)
        .await?
        .ok_or_else(|| DbErr::RecordNotFound("sites".into()))?
        .settings;
    Entity::update_many()
        .set(ActiveModel {
            settings: Set(site.settings.clone()),
            ..Default::default()
        })
        .filter(Column::Id.eq(site.id))
        .exec(&transaction)
        .await?;
    let (was, is) = (before.test_mode, site.settings.test_mode);
    if was != is {
        Entry::new(site.id, Action::TestModeSwitched)
            .detail(if is { "on" } else { "off" })
            .record(&transaction, keys, now)
            .await?;
    }
    let without_mode = SiteSettings {
        test_mode: is,
        ..before
    };
    if let Some(changes) = without_mode.changes_to(&site.settings) {
        Entry::new(site.id, Action::SettingsChanged)
            .detail(changes)
            .record(&transaction, keys, now)
            .await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Records that keys were refused: in the log of the site that they name, and where they name none, in the
/// installation's, by the same steps.
///
/// # Errors
/// When the database fails.
pub(super) async fn record_refused(
    state: &State,
    api_key: &str,
    error: &SiteError,
) -> Result<(), DbErr> {
    let named = match error {
        SiteError::WrongKeys => id_by_key(&state.db, api_key).await?,
        SiteError::OtherDomain(id) => Some(*id),
        _ => return Ok(()),
    };
    let transaction = db::begin(&state.db).await?;
    Entry::new(named.unwrap_or(INSTALLATION), Action::TokenRefused)
        .detail(error.to_string())
        .record(&transaction, &state.keys, state.now())
        .await?;
    transaction.commit().await
}
