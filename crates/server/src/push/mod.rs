//! Pushes: telling a client's phones that a sign-on waits.
//!
//! Every push is a row of the outbox, written in the transaction of its sign-on, so that none is
//! lost between the two. A phone of kind `none` needs no delivery: it asks for its inbox
//! (`GET /login/pending`), which every kind may do. Deliverers of other kinds take rows that are
//! `queued`; this version has none yet, so those rows wait until they are too old to matter.

use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, entity::prelude::*,
};

use crate::{
    device::{Device, Push},
    platform::clock::Moment,
};

#[allow(unreachable_pub, reason = "the derive makes its companions public")]
mod row {
    use sea_orm::{DeriveActiveEnum, EnumIter, entity::prelude::*};

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "pushes")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub site_id: Uuid,
        pub device_id: Uuid,
        pub sign_on_id: Uuid,
        pub kind: String,
        pub state: State,
        pub attempts: i32,
        pub next_at: DateTimeUtc,
        pub created_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}

    #[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "String", db_type = "Text")]
    pub enum State {
        /// In the phone's inbox; nothing else to do.
        #[sea_orm(string_value = "inbox")]
        Inbox,
        /// The row waits to be delivered.
        #[sea_orm(string_value = "queued")]
        Queued,
    }
}

/// Puts a sign-on into the outbox, once for each device.
///
/// # Errors
/// When the database fails.
pub async fn enqueue(
    db: &impl ConnectionTrait,
    devices: &[Device],
    sign_on_id: Uuid,
    now: Moment,
) -> Result<(), DbErr> {
    let rows = devices.iter().map(|device| row::ActiveModel {
        id: Set(Uuid::new_v4()),
        site_id: Set(device.site_id),
        device_id: Set(device.id),
        sign_on_id: Set(sign_on_id),
        kind: Set(device.push.kind().to_owned()),
        state: Set(match device.push {
            Push::None => row::State::Inbox,
            Push::Fcm { .. } | Push::WebPush { .. } => row::State::Queued,
        }),
        attempts: Set(0),
        next_at: Set(now),
        created_at: Set(now),
    });
    row::Entity::insert_many(rows)
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Takes the time of [`enqueue`] where nobody is to be told.
///
/// # Errors
/// When the database fails.
pub async fn enqueue_nothing(db: &impl ConnectionTrait, sign_on_id: Uuid) -> Result<(), DbErr> {
    row::Entity::delete_many()
        .filter(row::Column::SignOnId.eq(sign_on_id))
        .exec(db)
        .await?;
    Ok(())
}

/// Drops pushes older than any sign-on they could announce.
///
/// # Errors
/// When the database fails.
pub async fn forget(db: &DatabaseConnection, before: Moment) -> Result<(), DbErr> {
    row::Entity::delete_many()
        .filter(row::Column::CreatedAt.lt(before))
        .exec(db)
        .await?;
    Ok(())
}

/// Erases what is still to be told to these phones.
///
/// # Errors
/// When the database fails.
pub async fn erase(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    device_ids: &[Uuid],
) -> Result<(), DbErr> {
    row::Entity::delete_many()
        .filter(row::Column::SiteId.eq(site_id))
        .filter(row::Column::DeviceId.is_in(device_ids.iter().copied()))
        .exec(db)
        .await?;
    Ok(())
}
