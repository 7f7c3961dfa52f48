//! Attempts and reports that are of no more use.

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbErr, Statement, entity::prelude::*, sea_query::ExprTrait,
};

use super::{
    model::{Column, Entity, State},
    tracker,
};
use crate::platform::{clock::Moment, db};

/// Forgets attempts of a site that were asked for before this moment, a batch of them; whether that was
/// all.
///
/// # Errors
/// When the database fails.
pub async fn forget(db: &DatabaseConnection, site_id: Uuid, before: Moment) -> Result<bool, DbErr> {
    tracker::forget(db, site_id, before).await?;
    let over = Column::SiteId
        .eq(site_id)
        .and(Column::CreatedAt.lt(before))
        .and(Column::State.ne(State::Pending));
    db::forget::<Entity>(db, Column::Id, over).await
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
