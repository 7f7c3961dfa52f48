//! Phones by their ids, whatever became of them.

use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QueryFilter, entity::prelude::*};

use super::model::{Column, Device, Entity};

/// Those of these phones that a site knows, also such that were unpaired.
///
/// # Errors
/// When the database fails.
pub async fn find_all(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<Device>, DbErr> {
    Entity::find()
        .filter(Column::SiteId.eq(site_id))
        .filter(Column::Id.is_in(ids))
        .all(db)
        .await
}
