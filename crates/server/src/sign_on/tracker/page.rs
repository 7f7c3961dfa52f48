//! Attempts, newest first, a page at a time. Where a page ends is told by its last row, so that the thousandth page
//! costs what the first does.

use std::{cmp::Reverse, fmt, str::FromStr};

use sea_orm::{
    ConnectionTrait, DbErr, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait},
};

use super::filter::{Filter, Reading, Whose};
use crate::{
    platform::clock::Moment,
    sign_on::model::{Column, Entity, SignOn},
};

/// The row that a page goes on after: when it was asked for, in microseconds, and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sign_on) struct After {
    at: Moment,
    id: Uuid,
}

impl After {
    pub(in crate::sign_on) fn of(row: &SignOn) -> Self {
        Self {
            at: row.created_at,
            id: row.id,
        }
    }
}

/// As it stands in addresses.
impl fmt::Display for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at.timestamp_micros(), self.id)
    }
}

impl FromStr for After {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (at, id) = text.split_once('.').ok_or(())?;
        let at = at.parse().ok().and_then(Moment::from_timestamp_micros);
        Ok(Self {
            at: at.ok_or(())?,
            id: id.parse().map_err(|_| ())?,
        })
    }
}

/// A page of attempts.
#[derive(Debug)]
pub(in crate::sign_on) struct Found {
    pub(in crate::sign_on) rows: Vec<SignOn>,
    /// Whether there are older ones.
    pub(in crate::sign_on) more: bool,
}

/// So many attempts of a site that a filter lets through, from the newest, or after a row.
pub(in crate::sign_on) async fn page(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    filter: &Filter,
    after: Option<After>,
    most: u64,
) -> Result<Found, DbErr> {
    let mut rows = Vec::new();
    for part in filter.readings() {
        let read = reading(site_id, filter, part, after, most + 1);
        rows.extend(read.all(db).await?);
    }
    rows.sort_by_key(|row| Reverse((row.created_at, row.id)));
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let more = rows.len() > most;
    rows.truncate(most);
    Ok(Found { rows, more })
}

/// An attempt of a site.
pub(in crate::sign_on) async fn find(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    id: Uuid,
) -> Result<Option<SignOn>, DbErr> {
    Entity::find_by_id(id)
        .filter(Column::SiteId.eq(site_id))
        .one(db)
        .await
}

/// One reading, in the order of an index.
pub(super) fn reading(
    site_id: Uuid,
    filter: &Filter,
    Reading { state, client }: Reading,
    after: Option<After>,
    most: u64,
) -> Select<Entity> {
    let place = || {
        Expr::tuple([
            Expr::col((Entity, Column::CreatedAt)),
            Expr::col((Entity, Column::Id)),
        ])
    };
    let read = Entity::find()
        .filter(Column::SiteId.eq(site_id))
        .apply_if(state, |read, state| read.filter(Column::State.eq(state)))
        .apply_if(client, |read, id| read.filter(Column::ClientId.eq(id)))
        .apply_if(filter.reason, |read, reason| {
            read.filter(Column::Failure.eq(reason.code()))
        })
        .apply_if(filter.since, |read, since| {
            read.filter(Column::CreatedAt.gte(since))
        })
        .apply_if(after, |read, after| {
            let row = Expr::tuple([Expr::value(after.at), Expr::value(after.id)]);
            read.filter(place().lt(row))
        });
    let states = &filter.states;
    let read = match &filter.whose {
        Some(Whose::SignOn(id)) => read.filter(Column::Id.eq(*id)),
        Some(Whose::Address(ip)) => read.filter(Column::Ip.eq(ip.as_str())),
        Some(Whose::Clients(_)) | None => read,
    };
    let read = if state.is_none() && !states.is_empty() {
        read.filter(Column::State.is_in(states.iter().copied()))
    } else {
        read
    };
    read.order_by(Column::CreatedAt, Order::Desc)
        .order_by(Column::Id, Order::Desc)
        .limit(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_stands_in_an_address() {
        let after = After {
            at: Moment::from_timestamp_micros(1_700_000_000_123_456).unwrap(),
            id: Uuid::from_u128(7),
        };
        assert_eq!(after.to_string().parse(), Ok(after));
        for text in ["", "1", "1.x", "x.00000000-0000-0000-0000-000000000007"] {
            assert_eq!(text.parse::<After>(), Err(()));
        }
    }
}
