//! What a running server has noticed and `axiam doctor`, another process, should tell.

use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait, sea_query::OnConflict};

use crate::platform::clock::Moment;

/// Phones were told another address than the server knows itself by.
pub const CALLED_ELSEWHERE: &str = "called_elsewhere";

/// Written again and again, to see whether there is room on the disk.
pub const ROOM: &str = "room";

#[allow(unreachable_pub, reason = "the derive makes its companions public")]
mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "notices")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub said: String,
        pub noticed_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Notes something, in the place of what was noted by this name before.
///
/// # Errors
/// When the database fails.
pub async fn put(
    db: &impl ConnectionTrait,
    name: &str,
    said: String,
    now: Moment,
) -> Result<(), DbErr> {
    let notice = row::ActiveModel {
        name: Set(name.to_owned()),
        said: Set(said),
        noticed_at: Set(now),
    };
    let newest = OnConflict::column(row::Column::Name)
        .update_columns([row::Column::Said, row::Column::NoticedAt])
        .to_owned();
    row::Entity::insert(notice)
        .on_conflict(newest)
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// What was noted by this name, and when.
///
/// # Errors
/// When the database fails.
pub async fn find(
    db: &impl ConnectionTrait,
    name: &str,
) -> Result<Option<(String, Moment)>, DbErr> {
    let found = row::Entity::find_by_id(name).one(db).await?;
    Ok(found.map(|notice| (notice.said, notice.noticed_at)))
}
