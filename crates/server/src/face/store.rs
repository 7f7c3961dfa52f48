//! Templates in the database, sealed for their site and client.

use ::face::{PackInfo, Template};
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, entity::prelude::*,
    sea_query::OnConflict,
};

use super::model::FaceError;
use crate::{clock::Moment, device::Device, keys::Keyring};

#[allow(unreachable_pub, reason = "the derive makes its companions public")]
mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "faces")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub site_id: Uuid,
        #[sea_orm(unique)]
        pub client_id: Uuid,
        pub device_id: Option<Uuid>,
        pub pack_name: String,
        pub pack_version: String,
        pub key_id: Uuid,
        pub sealed: Vec<u8>,
        pub created_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

#[allow(unreachable_pub, reason = "the derive makes its companions public")]
mod consents {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "consents")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub site_id: Uuid,
        pub client_id: Uuid,
        pub device_id: Uuid,
        pub version: String,
        pub text: String,
        pub created_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Whose face it is; both ids are sealed with the template, so it opens for nobody else.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    pub(super) site_id: Uuid,
    pub(super) client_id: Uuid,
}

impl Owner {
    fn bound_to(self, key_id: Uuid) -> Vec<u8> {
        [self.site_id, self.client_id, key_id]
            .iter()
            .flat_map(|id| *id.as_bytes())
            .collect()
    }
}

/// Stores a template in the place of an older one.
pub(super) async fn put(
    db: &impl ConnectionTrait,
    keys: &Keyring,
    owner: Owner,
    device_id: Option<Uuid>,
    template: &Template,
    now: Moment,
) -> Result<(), FaceError> {
    let (key_id, key) = &keys.data;
    let sealed = key
        .seal(&owner.bound_to(*key_id), &template.to_bytes())
        .map_err(|error| FaceError::Sealed(error.to_string()))?;
    row::Entity::insert(row::ActiveModel {
        id: Set(Uuid::new_v4()),
        site_id: Set(owner.site_id),
        client_id: Set(owner.client_id),
        device_id: Set(device_id),
        pack_name: Set(template.pack().to_owned()),
        pack_version: Set(template.version().to_owned()),
        key_id: Set(*key_id),
        sealed: Set(sealed),
        created_at: Set(now),
    })
    .on_conflict(
        OnConflict::column(row::Column::ClientId)
            .update_columns([
                row::Column::DeviceId,
                row::Column::PackName,
                row::Column::PackVersion,
                row::Column::KeyId,
                row::Column::Sealed,
                row::Column::CreatedAt,
            ])
            .to_owned(),
    )
    .exec_without_returning(db)
    .await?;
    Ok(())
}

/// A template and since when it is there.
pub(super) struct Enrolled {
    pub(super) template: Template,
    pub(super) created_at: Moment,
}

/// The client's template, if there is one that this pack can compare.
pub(super) async fn get(
    db: &impl ConnectionTrait,
    keys: &Keyring,
    owner: Owner,
    pack: &PackInfo,
) -> Result<Option<Enrolled>, FaceError> {
    let row = row::Entity::find()
        .filter(row::Column::SiteId.eq(owner.site_id))
        .filter(row::Column::ClientId.eq(owner.client_id))
        .one(db)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let (key_id, key) = &keys.data;
    if row.key_id != *key_id {
        return Err(FaceError::Sealed("sealed under an unknown key".into()));
    }
    let opened = key
        .open(&owner.bound_to(row.key_id), &row.sealed)
        .map_err(|error| FaceError::Sealed(error.to_string()))?;
    let template =
        Template::from_bytes(&opened).map_err(|error| FaceError::Sealed(error.to_string()))?;
    Ok(template.is_of(pack).then_some(Enrolled {
        template,
        created_at: row.created_at,
    }))
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

/// Records what the person agreed to, with the very text.
pub(super) async fn record_consent(
    db: &impl ConnectionTrait,
    device: &Device,
    version: &str,
    text: &str,
    now: Moment,
) -> Result<(), DbErr> {
    consents::Entity::insert(consents::ActiveModel {
        id: Set(Uuid::new_v4()),
        site_id: Set(device.site_id),
        client_id: Set(device.client_id),
        device_id: Set(device.id),
        version: Set(version.to_owned()),
        text: Set(text.to_owned()),
        created_at: Set(now),
    })
    .exec_without_returning(db)
    .await?;
    Ok(())
}
