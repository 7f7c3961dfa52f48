//! What a site may do, taken back and given again as a whole.

use chrono::TimeDelta;
use sea_orm::{ActiveValue::Set, DatabaseConnection, DbErr, EntityTrait, entity::prelude::*};

use super::model::{ActiveModel, Column, Entity, Site};
use crate::{
    audit::{Action, Entry},
    platform::{clock::Moment, db, keys::Keyring},
};

/// Revokes every token that a site was given until now, its pages' among them.
///
/// # Errors
/// When the database fails.
pub async fn revoke_tokens(
    db: &DatabaseConnection,
    keys: &Keyring,
    site: &Site,
    now: Moment,
) -> Result<(), DbErr> {
    let changed = ActiveModel {
        // Tokens know whole seconds: those of this very one are meant too.
        tokens_not_before: Set(now + TimeDelta::seconds(1)),
        ..Default::default()
    };
    let action = (Action::TokensRevoked, String::new());
    change(db, keys, site, changed, action, now).await
}

/// Switches a site on or off. While it is off, its keys, its tokens and its people's phones are unknown.
///
/// # Errors
/// When the database fails.
pub async fn switch(
    db: &DatabaseConnection,
    keys: &Keyring,
    site: &Site,
    is_on: bool,
    now: Moment,
) -> Result<(), DbErr> {
    let changed = ActiveModel {
        disabled_at: Set((!is_on).then_some(now)),
        ..Default::default()
    };
    let told = if is_on { "on" } else { "off" };
    let action = (Action::SiteSwitched, told.to_owned());
    change(db, keys, site, changed, action, now).await
}

async fn change(
    db: &DatabaseConnection,
    keys: &Keyring,
    site: &Site,
    changed: ActiveModel,
    (action, told): (Action, String),
    now: Moment,
) -> Result<(), DbErr> {
    let transaction = db::begin(db).await?;
    Entity::update_many()
        .set(changed)
        .filter(Column::Id.eq(site.id))
        .exec(&transaction)
        .await?;
    Entry::new(site.id, action)
        .detail(told)
        .record(&transaction, keys, now)
        .await?;
    transaction.commit().await
}
