//! Keys in the database, sealed under the master key.

use std::sync::Arc;

use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryOrder,
    QuerySelect, entity::prelude::*,
};

use zeroize::Zeroizing;

use super::{Key, KeyError, Purpose, SealingKey, master::Master};
use crate::platform::{clock::Moment, db};

#[allow(unreachable_pub, reason = "the derive makes its companions public")]
pub(super) mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "keys")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub purpose: String,
        pub sealed: Vec<u8>,
        pub created_at: DateTimeUtc,
        pub retired_at: Option<DateTimeUtc>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Whether something was ever sealed under a master key.
pub(super) async fn has_any(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    Ok(row::Entity::find().one(db).await?.is_some())
}

/// The row of the key in force.
async fn find_current(
    db: &impl ConnectionTrait,
    purpose: Purpose,
) -> Result<Option<row::Model>, DbErr> {
    row::Entity::find()
        .filter(row::Column::Purpose.eq(purpose.name()))
        .filter(row::Column::RetiredAt.is_null())
        .one(db)
        .await
}

/// The id of the key in force.
pub(super) async fn current_id(
    db: &impl ConnectionTrait,
    purpose: Purpose,
) -> Result<Option<Uuid>, DbErr> {
    row::Entity::find()
        .select_only()
        .column(row::Column::Id)
        .filter(row::Column::Purpose.eq(purpose.name()))
        .filter(row::Column::RetiredAt.is_null())
        .into_tuple()
        .one(db)
        .await
}

/// All keys of a purpose, the newest first.
pub(super) async fn ids(db: &impl ConnectionTrait, purpose: Purpose) -> Result<Vec<Uuid>, DbErr> {
    row::Entity::find()
        .select_only()
        .column(row::Column::Id)
        .filter(row::Column::Purpose.eq(purpose.name()))
        .order_by_desc(row::Column::CreatedAt)
        .into_tuple()
        .all(db)
        .await
}

/// The key in force, made if there is none.
pub(super) async fn current(
    db: &DatabaseConnection,
    master: &Master,
    purpose: Purpose,
    now: Moment,
) -> Result<Key, KeyError> {
    current_or(db, master, purpose, now, || purpose.make()).await
}

/// The same, where the first one of all is known.
pub(super) async fn current_or(
    db: &DatabaseConnection,
    master: &Master,
    purpose: Purpose,
    now: Moment,
    first: impl FnOnce() -> Result<Zeroizing<Vec<u8>>, KeyError>,
) -> Result<Key, KeyError> {
    if find_current(db, purpose).await?.is_none() {
        let transaction = db::begin(db).await?;
        match insert(&transaction, master, purpose, &first()?, now).await {
            Ok(()) => transaction.commit().await?,
            // Another server was faster at the same moment: its key is the one.
            Err(KeyError::Database(error)) if db::is_duplicate(&error) => {
                transaction.rollback().await?;
            }
            Err(error) => return Err(error),
        }
    }
    let row = find_current(db, purpose)
        .await?
        .ok_or_else(|| KeyError::Damaged(purpose.name()))?;
    opened(master, purpose, &row)
}

/// Makes a key. The master key may have been replaced since this program started, and a key sealed
/// under the old one would be lost: so it must open a key that everyone has, held until the end.
pub(super) async fn insert(
    transaction: &impl ConnectionTrait,
    master: &Master,
    purpose: Purpose,
    plain: &[u8],
    now: Moment,
) -> Result<(), KeyError> {
    let newer = match hold_witness(transaction).await? {
        Some(row) => master.that_opens(row.purpose.as_bytes(), &row.sealed)?.1,
        None => None,
    };
    let sealed = seal(newer.as_ref().unwrap_or(master.key()), purpose, plain)?;
    row::Entity::insert(row::ActiveModel {
        id: Set(Uuid::new_v4()),
        purpose: Set(purpose.name()),
        sealed: Set(sealed),
        created_at: Set(now),
        retired_at: Set(None),
    })
    .exec_without_returning(transaction)
    .await?;
    Ok(())
}

/// The key by which a server sees whether its master key is still the right one; held until the
/// transaction ends.
pub(super) async fn hold_witness(
    transaction: &impl ConnectionTrait,
) -> Result<Option<row::Model>, DbErr> {
    row::Entity::find()
        .filter(row::Column::Purpose.eq(Purpose::Session.name()))
        .lock_exclusive()
        .one(transaction)
        .await
}

fn seal(master: &SealingKey, purpose: Purpose, plain: &[u8]) -> Result<Vec<u8>, KeyError> {
    master
        .seal(purpose.name().as_bytes(), plain)
        .map_err(|_| KeyError::Damaged(purpose.name()))
}

/// A key by its id.
pub(super) async fn find(
    db: &impl ConnectionTrait,
    master: &Master,
    purpose: Purpose,
    id: Uuid,
) -> Result<Key, KeyError> {
    let row = row::Entity::find_by_id(id)
        .filter(row::Column::Purpose.eq(purpose.name()))
        .one(db)
        .await?
        .ok_or(KeyError::Missing(id))?;
    opened(master, purpose, &row)
}

fn opened(master: &Master, purpose: Purpose, row: &row::Model) -> Result<Key, KeyError> {
    let secret = master.open(purpose.name().as_bytes(), &row.sealed)?;
    Ok(Key {
        id: row.id,
        secret: Arc::new(secret),
    })
}

/// A key as operators see it.
pub struct Listed {
    /// Id of the key, by which rows and tokens name it.
    pub id: Uuid,
    /// What it is for: `data`, `session`, `site_tokens`, `receipts`, `web_push`, `audit`, `frames`,
    /// `outgoing` or `transform:<site id>`.
    pub purpose: String,
    /// When it was made.
    pub created_at: Moment,
    /// When a newer one took its place.
    pub retired_at: Option<Moment>,
}

/// All keys, by purpose and age.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &DatabaseConnection) -> Result<Vec<Listed>, DbErr> {
    let rows = row::Entity::find()
        .order_by_asc(row::Column::Purpose)
        .order_by_asc(row::Column::CreatedAt)
        .all(db)
        .await?;
    let listed = |row: row::Model| Listed {
        id: row.id,
        purpose: row.purpose,
        created_at: row.created_at,
        retired_at: row.retired_at,
    };
    Ok(rows.into_iter().map(listed).collect())
}
