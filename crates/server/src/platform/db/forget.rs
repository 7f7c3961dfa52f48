//! Forgetting what is too old, a batch at a time, so that no statement holds others up for long.

use sea_orm::{
    ConnectionTrait, DbErr, QuerySelect, Statement, entity::prelude::*, sea_query::IntoCondition,
};

use crate::platform::clock::Moment;

/// Most rows deleted at a time.
const BATCH: u64 = 500;

/// Deletes rows with ids that a condition names, a batch of them; whether that was all.
///
/// # Errors
/// When the database fails.
pub async fn forget<E: EntityTrait>(
    db: &impl ConnectionTrait,
    id: E::Column,
    which: impl IntoCondition,
) -> Result<bool, DbErr> {
    let found = E::find().select_only().column(id).filter(which);
    let ids: Vec<Uuid> = found.limit(BATCH).into_tuple().all(db).await?;
    let is_all = (ids.len() as u64) < BATCH;
    if !ids.is_empty() {
        E::delete_many().filter(id.is_in(ids)).exec(db).await?;
    }
    Ok(is_all)
}

/// The same by a statement that deletes at most `$2` rows from before `$1`.
///
/// # Errors
/// When the database fails.
pub async fn forget_by(
    db: &impl ConnectionTrait,
    statement: &str,
    before: Moment,
) -> Result<bool, DbErr> {
    let values = [before.into(), BATCH.into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), statement, values);
    let forgotten = db.execute_raw(statement).await?;
    Ok(forgotten.rows_affected() < BATCH)
}
