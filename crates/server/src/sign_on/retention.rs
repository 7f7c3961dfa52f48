//! Attempts and reports that are of no more use.

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QuerySelect, Statement,
    entity::prelude::*,
};

use super::{
    model::{Column, Entity, State},
    tracker,
};
use crate::platform::clock::Moment;

/// Most rows forgotten at a time.
const BATCH: u64 = 500;

/// Forgets attempts of a site that were asked for before this moment, a batch of them; whether that was
/// all.
///
/// # Errors
/// When the database fails.
pub async fn forget(db: &DatabaseConnection, site_id: Uuid, before: Moment) -> Result<bool, DbErr> {
    let ids: Vec<Uuid> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::SiteId.eq(site_id))
        .filter(Column::CreatedAt.lt(before))
        .filter(Column::State.ne(State::Pending))
        .limit(BATCH)
        .into_tuple()
        .all(db)
        .await?;
    let is_all = (ids.len() as u64) < BATCH;
    tracker::forget(db, site_id, before).await?;
    if !ids.is_empty() {
        Entity::delete_many()
            .filter(Column::Id.is_in(ids))
            .exec(db)
            .await?;
    }
    Ok(is_all)
}

/// Forgets freezes that are over.
///
/// # Errors
/// When the database fails.
pub async fn forget_freezes(db: &DatabaseConnection, now: Moment) -> Result<(), DbErr> {
    let forget = "delete from freezes where until <= $1";
    let statement = Statement::from_sql_and_values(db.get_database_backend(), forget, [now.into()]);
    db.execute_raw(statement).await?;
    Ok(())
}
