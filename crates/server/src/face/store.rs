//! References and consents in the database.

use ::face::{PackInfo, ProtectedTemplate, Protection, Template};
use futures_util::future::BoxFuture;
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryOrder,
    entity::prelude::*,
};

use super::{
    client_key, consent,
    model::FaceError,
    references::{Reference, References, Source},
    sealed::{self, Binding, Owner, Transform},
};
use crate::platform::{
    clock::Moment,
    keys::{Key, Keyring, Purpose},
    state::State,
};

#[allow(unreachable_pub, reason = "the derive makes its companions public")]
pub(super) mod row {
    use sea_orm::entity::prelude::*;

    use crate::face::references::Source;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "face_references")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub site_id: Uuid,
        pub client_id: Uuid,
        pub device_id: Option<Uuid>,
        pub source: Source,
        pub pack_name: String,
        pub pack_version: String,
        pub key_id: Option<Uuid>,
        pub transform_id: Option<Uuid>,
        pub salt: Option<Uuid>,
        pub sealed: Vec<u8>,
        pub created_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

impl row::Model {
    pub(super) fn owner(&self) -> Owner {
        Owner {
            site_id: self.site_id,
            client_id: self.client_id,
        }
    }

    /// Where it belongs; `None` for a row of before there were transforms.
    pub(super) fn binding(&self) -> Option<Binding> {
        Some(Binding {
            owner: self.owner(),
            key_id: self.key_id,
            reference_id: self.id,
            transform_id: self.transform_id?,
            salt: self.salt?,
        })
    }
}

/// What new references are stored under. Drawn before a transaction begins.
pub(super) struct Seal {
    /// The key that belongs to this client alone.
    pub(super) key: Key,
    pub(super) transform: Transform,
}

/// Tries again what met a key that is being replaced (`axiam keys rotate`, `axiam face reissue`): between the
/// drawing of a seal and the writing with it the old key can go. Nothing is kept of an attempt that failed, and
/// the next one finds the new key.
///
/// # Errors
/// Those of the last attempt.
pub(super) async fn while_keys_change<'a, T>(
    attempt: impl Fn() -> BoxFuture<'a, Result<T, FaceError>>,
) -> Result<T, FaceError> {
    /// A key is replaced by hand, so that twice in one request is much.
    const MORE: usize = 4;
    for _ in 0..MORE {
        match attempt().await {
            Err(error) if error.is_of_a_replaced_key() => {}
            done => return done,
        }
    }
    attempt().await
}

impl Seal {
    /// The client's key, made if there is none, and a new transform.
    pub(super) async fn draw(state: &State, owner: Owner) -> Result<Self, FaceError> {
        let (db, keys, now) = (&state.db, &state.keys, state.now());
        Ok(Self {
            key: client_key::current(db, keys, owner, now).await?,
            transform: Transform::draw(db, keys, owner.site_id, now).await?,
        })
    }
}

/// The client's face, as far as this pack can compare with it.
pub(super) struct Enrolled {
    pub(super) references: References,
    pub(super) transform: Transform,
    protection: Protection,
}

impl Enrolled {
    /// A probe, ready to be held against the references.
    pub(super) fn protect(&self, probe: &Template) -> Result<ProtectedTemplate, FaceError> {
        Ok(self.protection.protect(probe)?)
    }

    /// Seals several templates under this client's key.
    pub(super) fn protect_all(
        &self,
        frames: &[Template],
    ) -> Result<Vec<ProtectedTemplate>, FaceError> {
        frames.iter().map(|frame| self.protect(frame)).collect()
    }
}

/// A reference that another pack made: nothing can be compared with it any more.
pub(super) struct Outdated {
    pub(super) device_id: Option<Uuid>,
    pub(super) created_at: Moment,
    /// Name and version of the pack that made the template.
    pub(super) pack: String,
}

/// What is stored of a client's face.
pub(super) struct Stored {
    pub(super) enrolled: Option<Enrolled>,
    pub(super) outdated: Vec<Outdated>,
}

/// Reads a client's face.
pub(super) async fn load(
    db: &impl ConnectionTrait,
    keys: &Keyring,
    owner: Owner,
    pack: &PackInfo,
) -> Result<Stored, FaceError> {
    while_keys_change(|| Box::pin(read(db, keys, owner, pack))).await
}

async fn read(
    db: &impl ConnectionTrait,
    keys: &Keyring,
    owner: Owner,
    pack: &PackInfo,
) -> Result<Stored, FaceError> {
    let rows = row::Entity::find()
        .filter(row::Column::SiteId.eq(owner.site_id))
        .filter(row::Column::ClientId.eq(owner.client_id))
        .order_by_asc(row::Column::CreatedAt)
        .all(db)
        .await?;
    let (rows, others): (Vec<_>, Vec<_>) = rows
        .into_iter()
        .partition(|row| row.pack_name == pack.name() && row.pack_version == pack.version());
    let outdated = others
        .into_iter()
        .filter(|row| row.source == Source::Enrolled);
    Ok(Stored {
        enrolled: open(db, keys, owner, &rows).await?,
        outdated: outdated
            .map(|row| Outdated {
                device_id: row.device_id,
                created_at: row.created_at,
                pack: format!("{} {}", row.pack_name, row.pack_version),
            })
            .collect(),
    })
}

/// Opens a client's references, which all are under one transform.
async fn open(
    db: &impl ConnectionTrait,
    keys: &Keyring,
    owner: Owner,
    rows: &[row::Model],
) -> Result<Option<Enrolled>, FaceError> {
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let binding = first.binding().ok_or_else(no_transform)?;
    let transform = Transform::find(db, keys, owner, binding.transform_id, binding.salt).await?;
    let mut list = Vec::with_capacity(rows.len());
    for row in rows {
        let key = key_of(db, keys, row).await?;
        let binding = row.binding().ok_or_else(no_transform)?;
        list.push(Reference {
            id: row.id,
            source: row.source,
            created_at: row.created_at,
            template: sealed::open(&key, &binding, &row.sealed)?,
        });
    }
    let dims = list.first().map_or(0, |one| one.template.dims());
    let protection = transform.of(owner, dims)?;
    Ok(References::new(list)?.map(|references| Enrolled {
        references,
        transform,
        protection,
    }))
}

/// The key that seals a reference.
pub(super) async fn key_of(
    db: &impl ConnectionTrait,
    keys: &Keyring,
    row: &row::Model,
) -> Result<Key, FaceError> {
    match row.key_id {
        Some(id) => Ok(keys.find(db, Purpose::Data, id).await?),
        None => client_key::find(db, keys, row.owner())
            .await?
            .ok_or_else(|| FaceError::Sealed("the client's key was erased".into())),
    }
}

fn no_transform() -> FaceError {
    FaceError::Sealed("a reference is under no transform; `axiam face reissue` mends that".into())
}

/// A reference to be stored.
pub(super) struct New {
    pub(super) source: Source,
    pub(super) device_id: Option<Uuid>,
    pub(super) template: ProtectedTemplate,
}

/// Adds references to those that the client has.
pub(super) async fn add(
    db: &impl ConnectionTrait,
    seal: &Seal,
    owner: Owner,
    new: Vec<New>,
    now: Moment,
) -> Result<(), FaceError> {
    for New {
        source,
        device_id,
        template,
    } in new
    {
        let binding = Binding {
            owner,
            key_id: None,
            reference_id: Uuid::new_v4(),
            transform_id: seal.transform.key.id,
            salt: seal.transform.salt,
        };
        row::Entity::insert(row::ActiveModel {
            id: Set(binding.reference_id),
            site_id: Set(owner.site_id),
            client_id: Set(owner.client_id),
            device_id: Set(device_id),
            source: Set(source),
            pack_name: Set(template.pack().to_owned()),
            pack_version: Set(template.version().to_owned()),
            key_id: Set(binding.key_id),
            transform_id: Set(Some(binding.transform_id)),
            salt: Set(Some(binding.salt)),
            sealed: Set(sealed::seal(&seal.key, &binding, &template)?),
            created_at: Set(now),
        })
        .exec_without_returning(db)
        .await?;
    }
    Ok(())
}

/// Puts newly enrolled photos in the binding of everything that is there.
pub(super) async fn replace(
    db: &impl ConnectionTrait,
    seal: &Seal,
    owner: Owner,
    device_id: Option<Uuid>,
    photos: &[Template],
    now: Moment,
) -> Result<(), FaceError> {
    let dims = photos.first().map_or(0, Template::dims);
    let protection = seal.transform.of(owner, dims)?;
    let mut new = Vec::with_capacity(photos.len());
    for photo in photos {
        new.push(New {
            source: Source::Enrolled,
            device_id,
            template: protection.protect(photo)?,
        });
    }
    remove(db, owner).await?;
    add(db, seal, owner, new, now).await
}

/// Removes everything that is stored of a client's face.
pub(super) async fn remove(db: &impl ConnectionTrait, owner: Owner) -> Result<u64, DbErr> {
    let removed = row::Entity::delete_many()
        .filter(row::Column::SiteId.eq(owner.site_id))
        .filter(row::Column::ClientId.eq(owner.client_id))
        .exec(db)
        .await?;
    Ok(removed.rows_affected)
}

/// Removes one reference of the client and leaves the others.
pub(super) async fn remove_one(
    db: &impl ConnectionTrait,
    owner: Owner,
    id: Uuid,
) -> Result<(), DbErr> {
    row::Entity::delete_by_id(id)
        .filter(row::Column::SiteId.eq(owner.site_id))
        .filter(row::Column::ClientId.eq(owner.client_id))
        .exec(db)
        .await?;
    Ok(())
}

/// Whether the client has a face that this pack can compare.
pub(super) async fn exists(
    db: &DatabaseConnection,
    client_id: Uuid,
    pack: &PackInfo,
) -> Result<bool, DbErr> {
    let count = row::Entity::find()
        .filter(row::Column::ClientId.eq(client_id))
        .filter(row::Column::PackName.eq(pack.name()))
        .filter(row::Column::PackVersion.eq(pack.version()))
        .count(db)
        .await?;
    Ok(count > 0)
}

/// Whether a reference of the client is as new as this moment.
///
/// # Errors
/// When the database fails.
pub async fn is_enrolled_since(
    db: &DatabaseConnection,
    site_id: Uuid,
    client_id: Uuid,
    since: Moment,
) -> Result<bool, DbErr> {
    let count = row::Entity::find()
        .filter(row::Column::SiteId.eq(site_id))
        .filter(row::Column::ClientId.eq(client_id))
        .filter(row::Column::CreatedAt.gte(since))
        .count(db)
        .await?;
    Ok(count > 0)
}

/// Erases a client's face: the references, and the key without which no copy of them opens. The
/// record of the consent stays, withdrawn. How many references there were.
///
/// # Errors
/// When the database fails.
pub async fn erase(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    client_id: Uuid,
    now: Moment,
) -> Result<u64, DbErr> {
    let owner = Owner { site_id, client_id };
    consent::withdraw(db, owner, now).await?;
    client_key::erase(db, owner).await?;
    remove(db, owner).await
}
