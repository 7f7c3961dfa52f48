//! Finding people by what somebody remembers of them: the beginning of an address or a name, or an id.

use sea_orm::{
    Condition, ConnectionTrait, DbErr, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait},
};
use unicode_normalization::UnicodeNormalization as _;

use super::model::{Client, Column, Entity};
use crate::{platform::clock::Moment, site::Site};

/// The client that a page goes on after: when they were made known, and their id.
pub type Place = (Moment, Uuid);

/// So many clients of a site, whoever was made known last first; all of them where no words are given.
///
/// Words are the beginning of an e-mail address or of a name, or a whole id. They are found by indexes.
///
/// # Errors
/// When the database fails.
pub async fn search(
    db: &impl ConnectionTrait,
    site: &Site,
    words: &str,
    after: Option<Place>,
    most: u64,
) -> Result<Vec<Client>, DbErr> {
    let words = words.trim();
    if words.is_empty() {
        return newest(site.id, after, most).all(db).await;
    }
    if let Ok(id) = words.parse::<Uuid>() {
        let by_id = Entity::find_by_id(id).filter(Column::SiteId.eq(site.id));
        return by_id.all(db).await;
    }
    let mut found = by_address(site.id, words, most).all(db).await?;
    let more = by_name(site.id, words, most).all(db).await?;
    let is_new = |client: &Client| found.iter().all(|known| known.id != client.id);
    let more: Vec<Client> = more.into_iter().filter(is_new).collect();
    found.extend(more);
    found.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(found)
}

pub(super) fn newest(site_id: Uuid, after: Option<Place>, most: u64) -> Select<Entity> {
    let place = Expr::tuple([Expr::col(Column::CreatedAt), Expr::col(Column::Id)]);
    Entity::find()
        .filter(Column::SiteId.eq(site_id))
        .apply_if(after, |read, (at, id)| {
            read.filter(place.lt(Expr::tuple([Expr::value(at), Expr::value(id)])))
        })
        .order_by(Column::CreatedAt, Order::Desc)
        .order_by(Column::Id, Order::Desc)
        .limit(most)
}

pub(super) fn by_address(site_id: Uuid, words: &str, most: u64) -> Select<Entity> {
    // As addresses are compared; a beginning need not be one.
    let key: String = words.to_ascii_lowercase().nfc().collect();
    Entity::find()
        .filter(Column::SiteId.eq(site_id))
        .filter(beginning(Column::EmailKey, &key))
        .order_by_asc(Column::EmailKey)
        .limit(most)
}

pub(super) fn by_name(site_id: Uuid, words: &str, most: u64) -> Select<Entity> {
    let key = words.nfc().collect::<String>().to_lowercase();
    Entity::find()
        .filter(Column::SiteId.eq(site_id))
        .filter(beginning(Column::NameKey, &key))
        .order_by_asc(Column::NameKey)
        .limit(most)
}

/// That a text begins so: everything from it on, up to what follows all that begin with it.
fn beginning(column: Column, text: &str) -> Condition {
    // PostgreSQL takes no NUL; nothing that is kept has one, nor what it becomes here.
    let text = text.replace('\0', "\u{1}");
    let end = format!("{text}{}", char::MAX);
    Condition::all().add(column.gte(text)).add(column.lt(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::{
        clock::{Clock, SystemClock},
        db::plans,
    };

    #[tokio::test]
    async fn people_are_found_by_indexes() {
        let site = Uuid::new_v4();
        let place = (SystemClock.now(), Uuid::new_v4());
        for (db, _folder) in plans::databases().await {
            for read in [
                newest(site, None, 51),
                newest(site, Some(place), 51),
                by_address(site, "ann@", 51),
                by_name(site, "Ann", 51),
            ] {
                let question = read.build(db.get_database_backend());
                let plan = plans::plan(&db, &question).await;
                let is_well = !plans::goes_through_all(&plan) && !plans::sorts(&plan);
                assert!(is_well, "{}\n{plan}", question.sql);
            }
        }
    }
}
