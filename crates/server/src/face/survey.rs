//! Counting what is enrolled, over all sites. For the operator.

use ::face::PackInfo;
use sea_orm::{
    DatabaseConnection, DbErr, EntityTrait, QueryOrder, QuerySelect,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait},
};

use super::{client_key, store::row};

/// How many clients have a face that the pack in use can compare, and how many only another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Clients who can sign on with the pack in use.
    pub enrolled: u64,
    /// Clients whose templates another pack made: they must enrol again.
    pub outdated: u64,
}

impl Standing {
    /// Counts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(db: &DatabaseConnection, pack: &PackInfo) -> Result<Self, DbErr> {
        let of_pack = row::Column::PackName
            .eq(pack.name())
            .and(row::Column::PackVersion.eq(pack.version()));
        let enrolled = clients(db, of_pack).await?;
        let all = clients(db, row::Column::Id.is_not_null()).await?;
        Ok(Self {
            enrolled,
            outdated: all.saturating_sub(enrolled),
        })
    }
}

async fn clients(db: &DatabaseConnection, which: Expr) -> Result<u64, DbErr> {
    let found: Option<i64> = row::Entity::find()
        .select_only()
        .column_as(Expr::col(row::Column::ClientId).count_distinct(), "clients")
        .filter(which)
        .into_tuple()
        .one(db)
        .await?;
    Ok(found.unwrap_or(0).unsigned_abs())
}

/// How many clients have a face by each pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfPack {
    /// Name of the pack.
    pub pack: String,
    /// Version of the pack that made them.
    pub version: String,
    /// How many clients have templates of this pack.
    pub clients: u64,
    /// How many references there are of this pack.
    pub references: u64,
}

/// Counts faces by pack.
///
/// # Errors
/// When the database fails.
pub async fn by_pack(db: &DatabaseConnection) -> Result<Vec<OfPack>, DbErr> {
    let rows: Vec<(String, String, i64, i64)> = row::Entity::find()
        .select_only()
        .column(row::Column::PackName)
        .column(row::Column::PackVersion)
        .column_as(Expr::col(row::Column::ClientId).count_distinct(), "clients")
        .column_as(row::Column::Id.count(), "held")
        .group_by(row::Column::PackName)
        .group_by(row::Column::PackVersion)
        .order_by_asc(row::Column::PackName)
        .order_by_asc(row::Column::PackVersion)
        .into_tuple()
        .all(db)
        .await?;
    let counted = |(pack, version, clients, references): (_, _, i64, i64)| OfPack {
        pack,
        version,
        clients: clients.unsigned_abs(),
        references: references.unsigned_abs(),
    };
    Ok(rows.into_iter().map(counted).collect())
}

/// How many clients' keys, and references, need each key.
///
/// # Errors
/// When the database fails.
pub async fn by_key(db: &DatabaseConnection) -> Result<Vec<(Uuid, u64)>, DbErr> {
    let mut found = client_key::by_key(db).await?;
    for column in [row::Column::KeyId, row::Column::TransformId] {
        let rows: Vec<(Option<Uuid>, i64)> = row::Entity::find()
            .select_only()
            .column(column)
            .column_as(row::Column::Id.count(), "held")
            .group_by(column)
            .into_tuple()
            .all(db)
            .await?;
        found.extend(
            rows.into_iter()
                .filter_map(|(id, held)| Some((id?, held.unsigned_abs()))),
        );
    }
    Ok(found)
}
