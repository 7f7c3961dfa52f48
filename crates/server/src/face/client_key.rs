//! One key a client: it seals the references of their face, and the data key seals it. With it erased, no
//! copy of the references opens, wherever it is kept, as long as no copy of this table is kept beside it.

use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryOrder,
    QuerySelect, entity::prelude::*,
};

use super::{model::FaceError, sealed::Owner};
use crate::platform::{
    clock::Moment,
    db,
    keys::{Key, Keyring, Purpose},
};

#[allow(unreachable_pub, reason = "the derive makes its companions public")]
mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "client_keys")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub client_id: Uuid,
        pub site_id: Uuid,
        /// The data key that seals it.
        pub key_id: Uuid,
        pub sealed: Vec<u8>,
        pub created_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Keys of one transaction.
const BATCH: u64 = 200;

impl row::Model {
    fn owner(&self) -> Owner {
        Owner {
            site_id: self.site_id,
            client_id: self.client_id,
        }
    }

    async fn open(&self, db: &impl ConnectionTrait, keys: &Keyring) -> Result<Key, FaceError> {
        let data = keys.find(db, Purpose::Data, self.key_id).await?;
        let about = about(self.owner(), data.id);
        Ok(data.open_key(self.client_id, &self.sealed, &about)?)
    }
}

/// What a client's key is bound to, so that it opens for nobody else.
fn about(owner: Owner, data_key_id: Uuid) -> Vec<u8> {
    let ids = [owner.site_id, owner.client_id, data_key_id];
    let mut about = b"axiam client key".to_vec();
    about.extend(ids.iter().flat_map(|id| *id.as_bytes()));
    about
}

async fn row_of(db: &impl ConnectionTrait, owner: Owner) -> Result<Option<row::Model>, DbErr> {
    row::Entity::find_by_id(owner.client_id)
        .filter(row::Column::SiteId.eq(owner.site_id))
        .one(db)
        .await
}

/// The client's key; `None` where there is none, or where it was erased.
pub(super) async fn find(
    db: &impl ConnectionTrait,
    keys: &Keyring,
    owner: Owner,
) -> Result<Option<Key>, FaceError> {
    match row_of(db, owner).await? {
        Some(row) => row.open(db, keys).await.map(Some),
        None => Ok(None),
    }
}

/// The client's key, made if there is none. Not to be called inside a transaction.
pub(super) async fn current(
    db: &DatabaseConnection,
    keys: &Keyring,
    owner: Owner,
    now: Moment,
) -> Result<Key, FaceError> {
    if let Some(key) = find(db, keys, owner).await? {
        return Ok(key);
    }
    let data = keys.current(db, Purpose::Data, now).await?;
    let key = Key::draw(owner.client_id)?;
    let insert = row::Entity::insert(row::ActiveModel {
        client_id: Set(owner.client_id),
        site_id: Set(owner.site_id),
        key_id: Set(data.id),
        sealed: Set(data.seal_key(&key, &about(owner, data.id))?),
        created_at: Set(now),
    });
    match insert.exec_without_returning(db).await {
        Ok(_) => Ok(key),
        // Another server was faster at the same moment: its key is the one.
        Err(error) if db::is_duplicate(&error) => find(db, keys, owner)
            .await?
            .ok_or_else(|| FaceError::Sealed("the client's key was erased".into())),
        Err(error) => Err(error.into()),
    }
}

/// Erases the client's key.
pub(super) async fn erase(db: &impl ConnectionTrait, owner: Owner) -> Result<(), DbErr> {
    row::Entity::delete_by_id(owner.client_id)
        .filter(row::Column::SiteId.eq(owner.site_id))
        .exec(db)
        .await?;
    Ok(())
}

/// Seals every client's key that another data key seals under this one. How many.
pub(super) async fn seal_anew(
    db: &DatabaseConnection,
    keys: &Keyring,
    data: &Key,
    mut told: impl FnMut(u64, u64),
) -> Result<u64, FaceError> {
    let other = row::Column::KeyId.ne(data.id);
    let all = row::Entity::find().filter(other.clone()).count(db).await?;
    let mut done = 0;
    loop {
        let transaction = db::begin(db).await?;
        let rows = row::Entity::find()
            .filter(other.clone())
            .order_by_asc(row::Column::ClientId)
            .limit(BATCH)
            .lock_exclusive()
            .all(&transaction)
            .await?;
        if rows.is_empty() {
            return Ok(done);
        }
        for row in &rows {
            let key = row.open(&transaction, keys).await?;
            let change = row::ActiveModel {
                key_id: Set(data.id),
                sealed: Set(data.seal_key(&key, &about(row.owner(), data.id))?),
                ..Default::default()
            };
            row::Entity::update_many()
                .set(change)
                .filter(row::Column::ClientId.eq(row.client_id))
                .exec(&transaction)
                .await?;
        }
        transaction.commit().await?;
        done += rows.len() as u64;
        told(done, std::cmp::max(all, done));
    }
}

/// How many clients' keys each data key seals.
pub(super) async fn by_key(db: &DatabaseConnection) -> Result<Vec<(Uuid, u64)>, DbErr> {
    let rows: Vec<(Uuid, i64)> = row::Entity::find()
        .select_only()
        .column(row::Column::KeyId)
        .column_as(row::Column::ClientId.count(), "held")
        .group_by(row::Column::KeyId)
        .into_tuple()
        .all(db)
        .await?;
    let counted = |(id, held): (Uuid, i64)| (id, held.unsigned_abs());
    Ok(rows.into_iter().map(counted).collect())
}
