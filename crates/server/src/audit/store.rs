//! Lines and heads in the database.

use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryOrder,
    QuerySelect, entity::prelude::*, sea_query::OnConflict,
};

use super::{
    action::Action,
    chain::{Content, Hash, Place},
};
use crate::platform::clock::Moment;

#[allow(unreachable_pub, reason = "the derive makes its companions public")]
mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "audit_events")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub site_id: Uuid,
        pub client_id: Option<Uuid>,
        pub device_id: Option<Uuid>,
        pub sign_on_id: Option<Uuid>,
        pub action: String,
        pub actor: String,
        pub network: String,
        pub detail: String,
        pub created_at: DateTimeUtc,
        /// Null only in rows of before the chain, until its site's log begins.
        pub seq: Option<i64>,
        pub mac: Option<Vec<u8>>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

#[allow(unreachable_pub, reason = "the derive makes its companions public")]
mod head {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "audit_heads")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub site_id: Uuid,
        pub seq: i64,
        pub mac: Vec<u8>,
        pub pruned_seq: i64,
        pub pruned_mac: Vec<u8>,
        pub seal: Vec<u8>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Where a site's chain ends, and up to where retention has cut it off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) last: Place,
    pub(super) pruned: Place,
    pub(super) seal: Hash,
}

impl From<head::Model> for Head {
    fn from(row: head::Model) -> Self {
        let place = |seq, mac| Place {
            seq,
            hash: Hash(mac),
        };
        Self {
            last: place(row.seq, row.mac),
            pruned: place(row.pruned_seq, row.pruned_mac),
            seal: Hash(row.seal),
        }
    }
}

/// A line as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number within its site's log.
    pub seq: i64,
    /// Its hash, as it is stored.
    pub hash: Hash,
    /// What it says.
    pub content: Content,
}

impl From<row::Model> for Line {
    fn from(row: row::Model) -> Self {
        Self {
            seq: row.seq.unwrap_or_default(),
            hash: Hash(row.mac.unwrap_or_default()),
            content: Content {
                id: row.id,
                site_id: row.site_id,
                client_id: row.client_id,
                device_id: row.device_id,
                sign_on_id: row.sign_on_id,
                action: row.action,
                actor: row.actor,
                network: row.network,
                detail: row.detail,
                created_at: row.created_at,
            },
        }
    }
}

/// The head of a site, held until the transaction ends, so that its lines have one order.
/// (SQLite's transactions are one after another by themselves.)
pub(super) async fn hold_head(
    transaction: &DatabaseTransaction,
    site_id: Uuid,
) -> Result<Option<Head>, DbErr> {
    let found = head::Entity::find_by_id(site_id)
        .lock_exclusive()
        .one(transaction)
        .await?;
    Ok(found.map(Head::from))
}

pub(super) async fn find_head(
    db: &impl ConnectionTrait,
    site_id: Uuid,
) -> Result<Option<Head>, DbErr> {
    let found = head::Entity::find_by_id(site_id).one(db).await?;
    Ok(found.map(Head::from))
}

/// Makes a head before the first line; `false` where another transaction was faster.
pub(super) async fn insert_head(
    transaction: &DatabaseTransaction,
    site_id: Uuid,
) -> Result<bool, DbErr> {
    let inserted = head::Entity::insert(head::ActiveModel {
        site_id: Set(site_id),
        seq: Set(0),
        mac: Set(Vec::new()),
        pruned_seq: Set(0),
        pruned_mac: Set(Vec::new()),
        seal: Set(Vec::new()),
    })
    .on_conflict(
        OnConflict::column(head::Column::SiteId)
            .do_nothing()
            .to_owned(),
    )
    .exec_without_returning(transaction)
    .await?;
    Ok(inserted == 1)
}

pub(super) async fn store_head(
    transaction: &DatabaseTransaction,
    site_id: Uuid,
    head: &Head,
) -> Result<(), DbErr> {
    head::Entity::update_many()
        .set(head::ActiveModel {
            seq: Set(head.last.seq),
            mac: Set(head.last.hash.0.clone()),
            pruned_seq: Set(head.pruned.seq),
            pruned_mac: Set(head.pruned.hash.0.clone()),
            seal: Set(head.seal.0.clone()),
            ..Default::default()
        })
        .filter(head::Column::SiteId.eq(site_id))
        .exec(transaction)
        .await?;
    Ok(())
}

pub(super) async fn insert(
    transaction: &DatabaseTransaction,
    content: Content,
    place: &Place,
) -> Result<(), DbErr> {
    row::Entity::insert(row::ActiveModel {
        id: Set(content.id),
        site_id: Set(content.site_id),
        client_id: Set(content.client_id),
        device_id: Set(content.device_id),
        sign_on_id: Set(content.sign_on_id),
        action: Set(content.action),
        actor: Set(content.actor),
        network: Set(content.network),
        detail: Set(content.detail),
        created_at: Set(content.created_at),
        seq: Set(Some(place.seq)),
        mac: Set(Some(place.hash.0.clone())),
    })
    .exec_without_returning(transaction)
    .await?;
    Ok(())
}

/// Gives a line of before the chain its place in it.
pub(super) async fn place(
    transaction: &DatabaseTransaction,
    id: Uuid,
    place: &Place,
) -> Result<(), DbErr> {
    row::Entity::update_many()
        .set(row::ActiveModel {
            seq: Set(Some(place.seq)),
            mac: Set(Some(place.hash.0.clone())),
            ..Default::default()
        })
        .filter(row::Column::Id.eq(id))
        .exec(transaction)
        .await?;
    Ok(())
}

/// Lines of a site that have no place in its chain, a batch of them, the oldest first.
pub(super) async fn loose(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    most: u64,
) -> Result<Vec<Line>, DbErr> {
    let rows = row::Entity::find()
        .filter(row::Column::SiteId.eq(site_id))
        .filter(row::Column::Seq.is_null())
        .order_by_asc(row::Column::CreatedAt)
        .order_by_asc(row::Column::Id)
        .limit(most)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(Line::from).collect())
}

/// How many lines of a site have no place in its chain.
pub(super) async fn count_loose(db: &impl ConnectionTrait, site_id: Uuid) -> Result<u64, DbErr> {
    row::Entity::find()
        .filter(row::Column::SiteId.eq(site_id))
        .filter(row::Column::Seq.is_null())
        .count(db)
        .await
}

/// Lines of a site that follow the one of this number, the first batch of them.
///
/// # Errors
/// When the database fails.
pub async fn lines_after(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    seq: i64,
    most: u64,
) -> Result<Vec<Line>, DbErr> {
    let rows = row::Entity::find()
        .filter(row::Column::SiteId.eq(site_id))
        .filter(row::Column::Seq.gt(seq))
        .order_by_asc(row::Column::Seq)
        .limit(most)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(Line::from).collect())
}

/// Lines of a site that come before the one of this number, the last batch of them, the newest first.
pub(super) async fn lines_before(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    seq: i64,
    most: u64,
) -> Result<Vec<Line>, DbErr> {
    let rows = row::Entity::find()
        .filter(row::Column::SiteId.eq(site_id))
        .filter(row::Column::Seq.lt(seq))
        .order_by_desc(row::Column::Seq)
        .limit(most)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(Line::from).collect())
}

/// The last line of a site that has a place.
pub(super) async fn last(db: &impl ConnectionTrait, site_id: Uuid) -> Result<Option<Place>, DbErr> {
    let row = row::Entity::find()
        .filter(row::Column::SiteId.eq(site_id))
        .filter(row::Column::Seq.is_not_null())
        .order_by_desc(row::Column::Seq)
        .one(db)
        .await?;
    Ok(row.map(Line::from).map(|line| Place {
        seq: line.seq,
        hash: line.hash,
    }))
}

/// Removes the lines of a site up to this number. How many.
pub(super) async fn remove_until(
    transaction: &DatabaseTransaction,
    site_id: Uuid,
    seq: i64,
) -> Result<u64, DbErr> {
    let removed = row::Entity::delete_many()
        .filter(row::Column::SiteId.eq(site_id))
        .filter(row::Column::Seq.lte(seq))
        .exec(transaction)
        .await?;
    Ok(removed.rows_affected)
}

/// Every site that has a head or a line; the installation among them.
///
/// # Errors
/// When the database fails.
pub async fn sites(db: &impl ConnectionTrait) -> Result<Vec<Uuid>, DbErr> {
    let mut found: Vec<Uuid> = head::Entity::find()
        .select_only()
        .column(head::Column::SiteId)
        .into_tuple()
        .all(db)
        .await?;
    let with_lines: Vec<Uuid> = row::Entity::find()
        .select_only()
        .column(row::Column::SiteId)
        .distinct()
        .into_tuple()
        .all(db)
        .await?;
    found.extend(with_lines);
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Who did this on a site at that moment, as the log has it; none where the line is gone.
///
/// # Errors
/// When the database fails.
pub async fn who(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    action: Action,
    at: Moment,
) -> Result<Option<String>, DbErr> {
    let line = row::Entity::find()
        .filter(row::Column::SiteId.eq(site_id))
        .filter(row::Column::CreatedAt.eq(at))
        .filter(row::Column::Action.eq(action.as_str()))
        .one(db)
        .await?;
    Ok(line.map(|line| line.actor))
}

/// How many lines of a site since then say that this was done, in these words.
///
/// # Errors
/// When the database fails.
pub async fn count(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    (action, detail): (Action, &str),
    since: Moment,
) -> Result<u64, DbErr> {
    row::Entity::find()
        .filter(row::Column::SiteId.eq(site_id))
        .filter(row::Column::CreatedAt.gte(since))
        .filter(row::Column::Action.eq(action.as_str()))
        .filter(row::Column::Detail.eq(detail))
        .count(db)
        .await
}
