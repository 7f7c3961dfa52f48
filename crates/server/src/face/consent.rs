//! What people agreed to before their face was captured.

use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait, QueryOrder, entity::prelude::*,
    sea_query::Expr,
};

use super::sealed::Owner;
use crate::{device::Device, platform::clock::Moment};

#[allow(unreachable_pub, reason = "the derive makes its companions public")]
mod row {
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
        pub withdrawn_at: Option<DateTimeUtc>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Records what the person agreed to, with the very text.
pub(super) async fn record(
    db: &impl ConnectionTrait,
    device: &Device,
    version: &str,
    text: &str,
    now: Moment,
) -> Result<(), DbErr> {
    row::Entity::insert(row::ActiveModel {
        id: Set(Uuid::new_v4()),
        site_id: Set(device.site_id),
        client_id: Set(device.client_id),
        device_id: Set(device.id),
        version: Set(version.to_owned()),
        text: Set(text.to_owned()),
        created_at: Set(now),
        withdrawn_at: Set(None),
    })
    .exec_without_returning(db)
    .await?;
    Ok(())
}

/// What a person agreed to on a phone.
#[derive(Debug, Clone)]
pub struct Consent {
    /// Which text it was.
    pub version: String,
    /// When they agreed.
    pub given_at: Moment,
    /// When they took it back, or were erased.
    pub withdrawn_at: Option<Moment>,
}

/// What a client agreed to last.
///
/// # Errors
/// When the database fails.
pub async fn last(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    client_id: Uuid,
) -> Result<Option<Consent>, DbErr> {
    let found = row::Entity::find()
        .filter(row::Column::SiteId.eq(site_id))
        .filter(row::Column::ClientId.eq(client_id))
        .order_by_desc(row::Column::CreatedAt)
        .one(db)
        .await?;
    Ok(found.map(|row| Consent {
        version: row.version,
        given_at: row.created_at,
        withdrawn_at: row.withdrawn_at,
    }))
}

/// Notes that a client agrees no more; the record stays.
pub(super) async fn withdraw(
    db: &impl ConnectionTrait,
    owner: Owner,
    now: Moment,
) -> Result<(), DbErr> {
    row::Entity::update_many()
        .col_expr(row::Column::WithdrawnAt, Expr::value(now))
        .filter(row::Column::SiteId.eq(owner.site_id))
        .filter(row::Column::ClientId.eq(owner.client_id))
        .filter(row::Column::WithdrawnAt.is_null())
        .exec(db)
        .await?;
    Ok(())
}
