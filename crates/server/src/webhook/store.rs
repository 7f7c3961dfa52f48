//! Webhooks in the database.

use sea_orm::{
    ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryOrder, entity::prelude::*,
};

use super::model::{ActiveModel, Column, Entity, Webhook};

/// All webhooks of a site, the oldest first.
///
/// # Errors
/// When the database fails.
pub async fn of_site(db: &impl ConnectionTrait, site_id: Uuid) -> Result<Vec<Webhook>, DbErr> {
    Entity::find()
        .filter(Column::SiteId.eq(site_id))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Id)
        .all(db)
        .await
}

/// A webhook of a site.
///
/// # Errors
/// When the database fails.
pub async fn find(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    id: Uuid,
) -> Result<Option<Webhook>, DbErr> {
    Entity::find_by_id(id)
        .filter(Column::SiteId.eq(site_id))
        .one(db)
        .await
}

/// Those of a site that are told what happens.
pub(super) async fn listening(
    db: &impl ConnectionTrait,
    site_id: Uuid,
) -> Result<Vec<Webhook>, DbErr> {
    Entity::find()
        .filter(Column::SiteId.eq(site_id))
        .filter(Column::DisabledAt.is_null())
        .all(db)
        .await
}

pub(super) async fn insert(db: &impl ConnectionTrait, webhook: &Webhook) -> Result<(), DbErr> {
    Entity::insert(webhook.clone().into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Changes a webhook; whether it is there.
pub(super) async fn change(
    db: &impl ConnectionTrait,
    webhook: &Webhook,
    changed: ActiveModel,
) -> Result<bool, DbErr> {
    let done = Entity::update_many()
        .set(changed)
        .filter(Column::Id.eq(webhook.id))
        .filter(Column::SiteId.eq(webhook.site_id))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

pub(super) async fn remove(db: &impl ConnectionTrait, webhook: &Webhook) -> Result<bool, DbErr> {
    let done = Entity::delete_by_id(webhook.id)
        .filter(Column::SiteId.eq(webhook.site_id))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}
