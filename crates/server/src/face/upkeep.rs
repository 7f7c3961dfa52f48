//! Work on stored references as they are, without a photo and while servers run: sealing clients' keys under a
//! newer data key, moving references under another transform. Each step is a transaction of its own, so all
//! of it may be interrupted and called again.

use ::face::{Template, TemplateError};
use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait, QuerySelect,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait},
};

use super::{
    client_key,
    model::FaceError,
    sealed::{self, Binding, Owner, Transform},
    store::{key_of, row},
};
use crate::{
    audit::{Action, Entry, INSTALLATION},
    client,
    platform::{
        clock::Moment,
        db,
        keys::{self, Key, Keyring, Purpose},
    },
};

/// Clients looked up at once.
const CLIENTS: usize = 500;

/// What upkeep works with.
#[derive(Clone, Copy)]
pub struct Upkeep<'a> {
    /// The connections to the database.
    pub db: &'a DatabaseConnection,
    /// The keys that templates are sealed with.
    pub keys: &'a Keyring,
    /// The moment that the work counts from.
    pub now: Moment,
}

impl Upkeep<'_> {
    /// Puts a new data key in the old one's binding, or ends an interrupted change, and seals every
    /// client's key under it; references stay as they are. `told` hears how many are done and how many there
    /// are. How many retired keys are still needed: more than none only while a server writes under one
    /// at this moment.
    ///
    /// # Errors
    /// When a key does not open or the database fails.
    pub async fn rotate_data_key(self, told: impl FnMut(u64, u64)) -> Result<Rotation, FaceError> {
        let begun = keys::retired(self.db, Purpose::Data).await?.is_empty();
        if begun {
            self.replace_key(Purpose::Data, INSTALLATION).await?;
        }
        let key = self.keys.current(self.db, Purpose::Data, self.now).await?;
        let sealed = client_key::seal_anew(self.db, self.keys, &key, told).await?;
        Ok(Rotation {
            begun,
            done: sealed,
            needed: keys::forget_unused(self.db, Purpose::Data).await?,
        })
    }

    async fn replace_key(self, purpose: Purpose, log: Uuid) -> Result<(), FaceError> {
        let transaction = db::begin(self.db).await?;
        keys::retire(&transaction, self.keys, purpose, self.now).await?;
        Entry::new(log, Action::KeyReplaced)
            .detail(purpose.name())
            .record(&transaction, self.keys, self.now)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Revokes the transform of a site's references, or of one client's, and issues another. What was
    /// leaked of the old ones compares with nothing any more. How many clients were moved.
    ///
    /// # Errors
    /// When a reference does not open or the database fails.
    pub async fn reissue(
        self,
        site_id: Uuid,
        client_id: Option<Uuid>,
        mut told: impl FnMut(u64, u64),
    ) -> Result<Rotation, FaceError> {
        let purpose = Purpose::Transform(site_id);
        if let Some(client_id) = client_id {
            let owner = Owner { site_id, client_id };
            let done = u64::from(self.move_client(owner, |_| true).await?);
            return Ok(Rotation {
                begun: true,
                done,
                needed: 0,
            });
        }
        let begun = keys::retired(self.db, purpose).await?.is_empty();
        if begun {
            self.replace_key(purpose, site_id).await?;
        }
        let current = self.keys.current(self.db, purpose, self.now).await?.id;
        let site = row::Column::SiteId.eq(site_id);
        let stale = row::Column::TransformId
            .is_null()
            .or(row::Column::TransformId.ne(current));
        let done = self
            .move_clients(
                site.and(stale),
                |row| row.transform_id != Some(current),
                &mut told,
            )
            .await?;
        Ok(Rotation {
            begun,
            done,
            needed: keys::forget_unused(self.db, purpose).await?,
        })
    }

    /// Moves references of older versions under a transform and their client's own key. How many clients
    /// were moved.
    ///
    /// # Errors
    /// When a reference does not open or the database fails.
    pub async fn bring_up_to_date(self) -> Result<u64, FaceError> {
        let older = row::Column::TransformId
            .is_null()
            .or(row::Column::KeyId.is_not_null());
        let is_older = |row: &row::Model| row.transform_id.is_none() || row.key_id.is_some();
        self.move_clients(older, is_older, &mut |_, _| {}).await
    }

    async fn move_clients(
        self,
        which: Expr,
        stale: impl Fn(&row::Model) -> bool + Copy,
        told: &mut impl FnMut(u64, u64),
    ) -> Result<u64, FaceError> {
        let all = clients(self.db, which.clone()).await?.len() as u64;
        let mut done = 0;
        loop {
            let some = clients(self.db, which.clone()).await?;
            let before = done;
            for owner in some.into_iter().take(CLIENTS) {
                done += u64::from(self.move_client(owner, stale).await?);
                told(done, std::cmp::max(all, done));
            }
            // Those that were there a moment ago may be gone; what is left then is nothing.
            if done == before {
                return Ok(done);
            }
        }
    }

    /// Moves a client's references under a new transform, if any of them is stale.
    async fn move_client(
        self,
        owner: Owner,
        stale: impl Fn(&row::Model) -> bool,
    ) -> Result<bool, FaceError> {
        let next = Transform::draw(self.db, self.keys, owner.site_id, self.now).await?;
        let key = client_key::current(self.db, self.keys, owner, self.now).await?;
        let transaction = db::begin(self.db).await?;
        client::hold(&transaction, owner.site_id, owner.client_id).await?;
        let rows = row::Entity::find()
            .filter(row::Column::SiteId.eq(owner.site_id))
            .filter(row::Column::ClientId.eq(owner.client_id))
            .all(&transaction)
            .await?;
        if !rows.iter().any(stale) {
            return Ok(false);
        }
        for row in &rows {
            self.move_one(&transaction, &key, &next, row).await?;
        }
        Entry::new(owner.site_id, Action::FaceReissued)
            .client(owner.client_id)
            .record(&transaction, self.keys, self.now)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn move_one(
        self,
        transaction: &DatabaseTransaction,
        key: &Key,
        next: &Transform,
        row: &row::Model,
    ) -> Result<(), FaceError> {
        let owner = row.owner();
        let older = key_of(transaction, self.keys, row).await?;
        let template = match row.binding() {
            Some(binding) => {
                let old = sealed::open(&older, &binding, &row.sealed)?;
                let transform = Transform::find(
                    transaction,
                    self.keys,
                    owner,
                    binding.transform_id,
                    binding.salt,
                )
                .await?;
                let dims = old.dims();
                transform
                    .of(owner, dims)?
                    .renew(&old, &next.of(owner, dims)?)?
            }
            None => {
                let plain = sealed::open_plain(&older, owner, &row.sealed)?;
                let plain = Template::from_bytes(&plain)
                    .map_err(|error: TemplateError| FaceError::Sealed(error.to_string()))?;
                next.of(owner, plain.dims())?.protect(&plain)?
            }
        };
        let binding = Binding {
            owner,
            key_id: None,
            reference_id: row.id,
            transform_id: next.key.id,
            salt: next.salt,
        };
        let sealed = sealed::seal(key, &binding, &template)?;
        change(transaction, row.id, next, sealed).await
    }
}

/// What became of a change of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// Whether a new key was made; if not, an interrupted change was ended.
    pub begun: bool,
    /// Clients whose key or references were moved.
    pub done: u64,
    /// Retired keys that something still names.
    pub needed: usize,
}

async fn change(
    db: &impl ConnectionTrait,
    id: Uuid,
    transform: &Transform,
    sealed: Vec<u8>,
) -> Result<(), FaceError> {
    row::Entity::update_many()
        .set(row::ActiveModel {
            key_id: Set(None),
            transform_id: Set(Some(transform.key.id)),
            salt: Set(Some(transform.salt)),
            sealed: Set(sealed),
            ..Default::default()
        })
        .filter(row::Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(())
}

/// The clients who have such references.
async fn clients(db: &DatabaseConnection, which: Expr) -> Result<Vec<Owner>, DbErr> {
    let found: Vec<(Uuid, Uuid)> = row::Entity::find()
        .select_only()
        .column(row::Column::SiteId)
        .column(row::Column::ClientId)
        .distinct()
        .filter(which)
        .into_tuple()
        .all(db)
        .await?;
    let owner = |(site_id, client_id)| Owner { site_id, client_id };
    Ok(found.into_iter().map(owner).collect())
}
