//! Putting newer keys in the place of older ones, while servers run.

use std::path::{Path, PathBuf};

use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait,
    QueryOrder, QuerySelect, entity::prelude::*,
};

use super::{KeyError, Keyring, Purpose, master::Change, store, store::row};
use crate::platform::{clock::Moment, db};

/// Retires the key in force and makes a new one. What the old one sealed is to be sealed anew; until
/// then it stays where [`Keyring::find`] finds it.
///
/// # Errors
/// When the master key does not fit or the database fails.
pub async fn retire(
    transaction: &DatabaseTransaction,
    keys: &Keyring,
    purpose: Purpose,
    now: Moment,
) -> Result<(), KeyError> {
    row::Entity::update_many()
        .set(row::ActiveModel {
            retired_at: Set(Some(now)),
            ..Default::default()
        })
        .filter(row::Column::Purpose.eq(purpose.name()))
        .filter(row::Column::RetiredAt.is_null())
        .exec(transaction)
        .await?;
    store::insert(transaction, &keys.master, purpose, &purpose.make()?, now).await
}

/// Keys of `purpose` that a newer one has replaced and that are still there, the oldest first.
///
/// # Errors
/// When the database fails.
pub async fn retired(db: &impl ConnectionTrait, purpose: Purpose) -> Result<Vec<Uuid>, DbErr> {
    row::Entity::find()
        .select_only()
        .column(row::Column::Id)
        .filter(row::Column::Purpose.eq(purpose.name()))
        .filter(row::Column::RetiredAt.is_not_null())
        .order_by_asc(row::Column::RetiredAt)
        .into_tuple()
        .all(db)
        .await
}

/// Deletes a retired key. The database itself refuses where a row refers to it.
///
/// # Errors
/// When the database fails, or refuses.
pub async fn forget(db: &impl ConnectionTrait, id: Uuid) -> Result<(), DbErr> {
    row::Entity::delete_many()
        .filter(row::Column::Id.eq(id))
        .filter(row::Column::RetiredAt.is_not_null())
        .exec(db)
        .await?;
    Ok(())
}

/// Deletes retired keys of `purpose` that nothing names any more; how many are still needed. The
/// database itself refuses to delete a key that a row refers to, also one written at this moment.
///
/// # Errors
/// When the database fails.
pub async fn forget_unused(db: &DatabaseConnection, purpose: Purpose) -> Result<usize, DbErr> {
    let mut needed = 0;
    for id in retired(db, purpose).await? {
        let deleted = row::Entity::delete_by_id(id).exec(db).await;
        match deleted {
            Ok(_) => {}
            Err(error) if db::is_dangling(&error) => needed += 1,
            Err(error) => return Err(error),
        }
    }
    Ok(needed)
}

/// What a change of the master key did.
pub struct MasterChange {
    /// Keys sealed under the new one.
    pub keys: usize,
    /// Where the old file is kept.
    pub kept: PathBuf,
}

/// Makes a new master key, seals every key under it and puts its file in the old one's place. May be
/// interrupted anywhere and called again.
///
/// # Errors
/// When a key does not open, a file cannot be written, or the database fails.
pub async fn rotate_master(
    db: &DatabaseConnection,
    file: &Path,
    now: Moment,
) -> Result<MasterChange, KeyError> {
    let change = Change::begin(file)?;
    let transaction = db::begin(db).await?;
    // First, so that a key made at this moment is either seen below or made after this.
    store::hold_witness(&transaction).await?;
    let rows = row::Entity::find()
        .lock_exclusive()
        .all(&transaction)
        .await?;
    for row in &rows {
        let about = row.purpose.as_bytes();
        // An interrupted change that got as far as this left keys sealed under the new one.
        if change.new.open(about, &row.sealed).is_ok() {
            continue;
        }
        let plain = change
            .old
            .open(about, &row.sealed)
            .map_err(|_| KeyError::OtherMaster)?;
        let sealed = change
            .new
            .seal(about, &plain)
            .map_err(|_| KeyError::Damaged(row.id.to_string()))?;
        row::Entity::update_many()
            .set(row::ActiveModel {
                sealed: Set(sealed),
                ..Default::default()
            })
            .filter(row::Column::Id.eq(row.id))
            .exec(&transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(MasterChange {
        keys: rows.len(),
        kept: change.finish(now)?,
    })
}
