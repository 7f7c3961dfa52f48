//! Networks from which a person wants no pushes, in the database.

use chrono::TimeDelta;
use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait, DatabaseConnection, DbErr, EntityTrait,
    entity::prelude::*,
    sea_query::{Expr, OnConflict},
};

use crate::platform::clock::{Moment, SKEW};

#[allow(unreachable_pub, reason = "the derive makes its companions public")]
mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "freezes")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub client_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub ip: String,
        pub until: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Freezes pushes to a client from a network.
pub(super) async fn freeze(
    db: &impl ConnectionTrait,
    client_id: Uuid,
    network: &str,
    until: Moment,
) -> Result<(), DbErr> {
    row::Entity::insert(row::ActiveModel {
        client_id: Set(client_id),
        ip: Set(network.to_owned()),
        until: Set(until),
    })
    .on_conflict(
        OnConflict::columns([row::Column::ClientId, row::Column::Ip])
            .update_column(row::Column::Until)
            .to_owned(),
    )
    .exec_without_returning(db)
    .await?;
    Ok(())
}

/// Until when pushes to a client from a network are frozen.
pub(super) async fn frozen_until(
    db: &DatabaseConnection,
    client_id: Uuid,
    network: &str,
    now: Moment,
) -> Result<Option<Moment>, DbErr> {
    let row = row::Entity::find_by_id((client_id, network.to_owned()))
        .filter(row::Column::Until.gt(now))
        .one(db)
        .await?;
    Ok(row.map(|row| row.until))
}

/// Shortens freezes that end later than any set now would: a clock that has been set back since set
/// them.
///
/// # Errors
/// When the database fails.
pub async fn bound_freezes(
    db: &impl ConnectionTrait,
    length: TimeDelta,
    now: Moment,
) -> Result<(), DbErr> {
    row::Entity::update_many()
        .col_expr(row::Column::Until, Expr::value(now + length))
        .filter(row::Column::Until.gt(now + length + SKEW))
        .exec(db)
        .await?;
    Ok(())
}

/// Erases what a client's reports froze.
pub(super) async fn erase(db: &impl ConnectionTrait, client_id: Uuid) -> Result<(), DbErr> {
    row::Entity::delete_many()
        .filter(row::Column::ClientId.eq(client_id))
        .exec(db)
        .await?;
    Ok(())
}
