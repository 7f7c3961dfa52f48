//! Sites in the database.

use std::collections::BTreeSet;

use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait,
    IntoActiveModel, QueryOrder, QuerySelect, entity::prelude::*,
};

use super::{
    Domain,
    model::{ActiveModel, Column, Entity, NewSite, Site, SiteError, SiteSettings},
    secrets,
};
use crate::{
    audit::{self, Action, Entry, INSTALLATION},
    platform::{clock::Moment, db, keys::Keyring, state::State},
};

/// Registers a site at the domain in `url`, for trying out or not.
///
/// # Errors
/// When there is no usable domain in it.
pub async fn create(
    db: &DatabaseConnection,
    keys: &Keyring,
    (url, test_mode): (&str, bool),
    now: Moment,
) -> Result<NewSite, SiteError> {
    let mut new = NewSite::at(&Domain::parse(url)?, now);
    new.site.settings.test_mode = test_mode;
    let made = insert(db, keys, new, now).await?;
    made.ok_or_else(|| DbErr::RecordNotInserted.into())
}

async fn insert(
    db: &DatabaseConnection,
    keys: &Keyring,
    new: NewSite,
    now: Moment,
) -> Result<Option<NewSite>, DbErr> {
    let transaction = db::begin(db).await?;
    let made = create_in(&transaction, keys, new, now).await?;
    if made.is_some() {
        transaction.commit().await?;
    }
    Ok(made)
}

/// Registers a site in the transaction of what goes with it, under an id that a form was given before, so that a form
/// which is sent twice makes one site; `None` where it is there already, or the id is not free, and then the
/// transaction is to be given up.
///
/// # Errors
/// When the database fails.
pub async fn create_in(
    transaction: &DatabaseTransaction,
    keys: &Keyring,
    new: NewSite,
    now: Moment,
) -> Result<Option<NewSite>, DbErr> {
    let id = new.site.id;
    // Whose id it is has the lines under it: a form must not name the installation's log, or one that outlives its site.
    if id == INSTALLATION || audit::is_begun(transaction, id).await? {
        return Ok(None);
    }
    let inserted = Entity::insert(new.site.clone().into_active_model())
        .exec_without_returning(transaction)
        .await;
    match inserted {
        Err(error) if db::is_duplicate(&error) => return Ok(None),
        outcome => outcome?,
    };
    secrets::insert(transaction, id, &new.secret_key, now, None).await?;
    let mode = if new.site.settings.test_mode {
        ", in test mode"
    } else {
        ""
    };
    Entry::new(id, Action::SiteCreated)
        .detail(format!("{}{mode}", new.site.domain))
        .record(transaction, keys, now)
        .await?;
    Ok(Some(new))
}

/// The dashboard's own site, once there is one.
///
/// # Errors
/// When the database fails.
pub async fn dashboard(db: &impl ConnectionTrait) -> Result<Option<Site>, DbErr> {
    Entity::find()
        .filter(Column::IsDashboard.eq(true))
        .one(db)
        .await
}

/// The dashboard's own site, made where there is none. Its secret key is shown to nobody.
///
/// # Errors
/// When the database fails, or the installation's address has no domain.
pub async fn dashboard_or_new(
    db: &DatabaseConnection,
    keys: &Keyring,
    public_url: &str,
    now: Moment,
) -> Result<Site, SiteError> {
    if let Some(site) = dashboard(db).await? {
        return Ok(site);
    }
    let mut new = NewSite::at(&Domain::parse(public_url)?, now);
    new.site.name = "Axiam dashboard".to_owned();
    new.site.is_dashboard = true;
    // Of two at once one is made.
    if let Some(new) = insert(db, keys, new, now).await? {
        return Ok(new.site);
    }
    let made = dashboard(db).await?;
    made.ok_or_else(|| DbErr::RecordNotInserted.into())
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
    db: &impl ConnectionTrait,
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

/// Changes a site's settings from what they are at that moment, which nobody else changes meanwhile, and records
/// what that changes. The settings as they are then.
///
/// # Errors
/// What `change` refuses; or when the database fails.
pub async fn change_settings(
    db: &DatabaseConnection,
    keys: &Keyring,
    id: Uuid,
    change: impl FnOnce(&SiteSettings) -> Result<SiteSettings, SiteError> + Send,
    now: Moment,
) -> Result<SiteSettings, SiteError> {
    let transaction = db::begin(db).await?;
    let before = Entity::find_by_id(id)
        .lock_exclusive()
        .one(&transaction)
        .await?
        .ok_or_else(|| DbErr::RecordNotFound("sites".into()))?
        .settings;
    let after = match change(&before) {
        Ok(after) => after,
        Err(refused) => {
            transaction.rollback().await?;
            return Err(refused);
        }
    };
    Entity::update_many()
        .set(ActiveModel {
            settings: Set(after.clone()),
            ..Default::default()
        })
        .filter(Column::Id.eq(id))
        .exec(&transaction)
        .await?;
    let (was, is) = (before.test_mode, after.test_mode);
    if was != is {
        Entry::new(id, Action::TestModeSwitched)
            .detail(if is { "on" } else { "off" })
            .record(&transaction, keys, now)
            .await?;
    }
    let without_mode = SiteSettings {
        test_mode: is,
        ..before
    };
    if let Some(changes) = without_mode.changes_to(&after) {
        Entry::new(id, Action::SettingsChanged)
            .detail(changes)
            .record(&transaction, keys, now)
            .await?;
    }
    transaction.commit().await?;
    Ok(after)
}

/// Puts a site in test mode or takes it out of it.
///
/// # Errors
/// When the database fails.
pub async fn set_test_mode(
    db: &DatabaseConnection,
    keys: &Keyring,
    id: Uuid,
    is_on: bool,
    now: Moment,
) -> Result<SiteSettings, SiteError> {
    let change = |settings: &SiteSettings| {
        Ok(SiteSettings {
            test_mode: is_on,
            ..settings.clone()
        })
    };
    change_settings(db, keys, id, change, now).await
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
    Entry::new(named.unwrap_or(INSTALLATION), Action::TokenRefused)
        .detail(error.to_string())
        .record_alone(&state.db, &state.keys, state.now())
        .await
}
