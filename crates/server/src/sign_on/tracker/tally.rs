//! How many attempts of each day ended how, and how long that took. A day that is over is counted once and kept: a page with a month on it
//! reads a few rows, however many attempts there were. Erasing a client does not change what was counted, which names
//! nobody.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate, NaiveTime};
use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, EntityTrait, FromQueryResult,
    QueryFilter, QuerySelect, Select,
    entity::prelude::*,
    sea_query::{Expr, OnConflict},
};

use super::filter::Reason;
use crate::{
    platform::{clock::Moment, db},
    sign_on::model::{Column, Entity, State},
};

#[allow(unreachable_pub, reason = "the derive makes its companions public")]
mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "sign_on_tallies")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub site_id: Uuid,
        /// `2026-11-29`, by UTC.
        #[sea_orm(primary_key, auto_increment = false)]
        pub day: String,
        /// A state, or `all`.
        #[sea_orm(primary_key, auto_increment = false)]
        pub state: String,
        /// A code; 0 where nothing failed.
        #[sea_orm(primary_key, auto_increment = false)]
        pub failure: i32,
        pub count: i64,
        /// Milliseconds from question to verdict, of all of these together; none where that was not counted.
        pub took: Option<i64>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Says of a day that it was counted.
const ALL: &str = "all";

/// Stands for attempts at which nobody was asked, because nobody could be.
const DECOY: &str = "decoy";

/// What became of the attempts of a day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::sign_on) struct Day {
    pub(in crate::sign_on) day: NaiveDate,
    counts: BTreeMap<(String, i32), Counts>,
}

/// So many attempts, and how long they took together from question to verdict, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    count: i64,
    took: Option<i64>,
}

impl Day {
    /// Attempts of all kinds at which somebody was asked.
    pub(in crate::sign_on) fn all(&self) -> i64 {
        let counts = self.counts.iter().filter(|((of, _), _)| of != DECOY);
        counts.map(|(_, counts)| counts.count).sum()
    }

    /// Attempts at which nobody was asked.
    pub(in crate::sign_on) fn decoys(&self) -> i64 {
        self.at(&(DECOY.to_owned(), 0)).count
    }

    fn at(&self, key: &(String, i32)) -> Counts {
        self.counts.get(key).copied().unwrap_or_default()
    }

    /// Attempts that ended so.
    pub(in crate::sign_on) fn ended(&self, state: State) -> i64 {
        self.of(state).map(|counts| counts.count).sum()
    }

    fn of(&self, state: State) -> impl Iterator<Item = Counts> {
        let word = state.to_value();
        let counts = self.counts.iter().filter(move |((of, _), _)| *of == word);
        counts.map(|(_, counts)| *counts)
    }

    /// How many attempts were verified whose time is known, and how long they took together, in milliseconds.
    pub(in crate::sign_on) fn verified_in(&self) -> (i64, i64) {
        let known = self.of(State::Verified);
        let known = known.filter_map(|counts| Some((counts.count, counts.took?)));
        known.fold((0, 0), |(count, took), (more, longer)| {
            (count + more, took + longer)
        })
    }

    /// Attempts that failed at this in the end.
    pub(in crate::sign_on) fn failed_at(&self, reason: Reason) -> i64 {
        self.at(&(State::Failed.to_value(), reason.code())).count
    }
}

#[derive(FromQueryResult)]
struct Counted {
    state: String,
    failure: Option<i32>,
    decoy: bool,
    count: i64,
    took: Option<i64>,
}

/// The beginning of a day.
fn midnight(day: NaiveDate) -> Moment {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// Milliseconds from question to verdict, of all attempts that are counted together.
const fn took(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => {
            "cast(round(sum(extract(epoch from decided_at - created_at)) * 1000) as bigint)"
        }
        _ => {
            "cast(round(sum(julianday(decided_at) - julianday(created_at)) * 86400000) as integer)"
        }
    }
}

/// What counts the attempts of a day.
pub(super) fn counting(site_id: Uuid, day: NaiveDate, backend: DbBackend) -> Select<Entity> {
    let next = day + Days::new(1);
    Entity::find()
        .select_only()
        .column(Column::State)
        .column(Column::Failure)
        .column(Column::Decoy)
        .column_as(Column::Id.count(), "count")
        .expr_as(Expr::cust(took(backend)), "took")
        .filter(Column::SiteId.eq(site_id))
        .filter(Column::CreatedAt.gte(midnight(day)))
        .filter(Column::CreatedAt.lt(midnight(next)))
        .group_by(Column::State)
        .group_by(Column::Failure)
        .group_by(Column::Decoy)
}

async fn count(db: &impl ConnectionTrait, site_id: Uuid, day: NaiveDate) -> Result<Day, DbErr> {
    let counted = counting(site_id, day, db.get_database_backend())
        .into_model::<Counted>()
        .all(db)
        .await?;
    let mut counts = BTreeMap::<_, Counts>::new();
    for row in counted {
        let key = match row.decoy {
            true => (DECOY.to_owned(), 0),
            false => (row.state, row.failure.unwrap_or(0)),
        };
        let counts = counts.entry(key).or_default();
        counts.count += row.count;
        let took = [counts.took, row.took].into_iter().flatten();
        counts.took = took.reduce(|one, other| one + other);
    }
    Ok(Day { day, counts })
}

/// The last so many days of a site, the oldest first, today last. `open` is how long an attempt may still change.
pub(in crate::sign_on) async fn days(
    db: &DatabaseConnection,
    site_id: Uuid,
    count_of: u32,
    (now, open): (Moment, chrono::TimeDelta),
) -> Result<Vec<Day>, DbErr> {
    let today = now.date_naive();
    let first = today - Days::new(u64::from(count_of.saturating_sub(1)));
    let kept = row::Entity::find()
        .filter(row::Column::SiteId.eq(site_id))
        .filter(row::Column::Day.gte(first.to_string()))
        .all(db)
        .await?;
    let known: BTreeSet<&str> = kept
        .iter()
        .filter(|row| row.state == ALL)
        .map(|row| row.day.as_str())
        .collect();
    let mut days = Vec::new();
    for day in first.iter_days().take_while(|day| *day <= today) {
        let name = day.to_string();
        if known.contains(name.as_str()) {
            let of_day = kept
                .iter()
                .filter(|row| row.day == name && row.state != ALL);
            let counts = of_day.map(|row| {
                let (count, took) = (row.count, row.took);
                ((row.state.clone(), row.failure), Counts { count, took })
            });
            days.push(Day {
                day,
                counts: counts.collect(),
            });
            continue;
        }
        let counted = count(db, site_id, day).await?;
        if midnight(day + Days::new(1)) + open < now {
            keep(db, site_id, &counted).await?;
        }
        days.push(counted);
    }
    Ok(days)
}

async fn keep(db: &DatabaseConnection, site_id: Uuid, day: &Day) -> Result<(), DbErr> {
    let name = day.day.to_string();
    let line = |state: &str, failure: i32, counts: Counts| row::ActiveModel {
        site_id: Set(site_id),
        day: Set(name.clone()),
        state: Set(state.to_owned()),
        failure: Set(failure),
        count: Set(counts.count),
        took: Set(counts.took),
    };
    let (count, took) = (day.all(), None);
    let mut lines = vec![line(ALL, 0, Counts { count, took })];
    let counts = day.counts.iter();
    lines.extend(counts.map(|((state, failure), counts)| line(state, *failure, *counts)));
    let transaction = db::begin(db).await?;
    let mut known = OnConflict::columns([
        row::Column::SiteId,
        row::Column::Day,
        row::Column::State,
        row::Column::Failure,
    ]);
    // Another page counted the same day meanwhile.
    known.update_columns([row::Column::Count, row::Column::Took]);
    row::Entity::insert_many(lines)
        .on_conflict(known)
        .exec_without_returning(&transaction)
        .await?;
    transaction.commit().await
}

/// Forgets what was counted of days before this moment.
///
/// # Errors
/// When the database fails.
pub(in crate::sign_on) async fn forget(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    before: Moment,
) -> Result<(), DbErr> {
    row::Entity::delete_many()
        .filter(row::Column::SiteId.eq(site_id))
        .filter(row::Column::Day.lt(before.date_naive().to_string()))
        .exec(db)
        .await?;
    Ok(())
}
