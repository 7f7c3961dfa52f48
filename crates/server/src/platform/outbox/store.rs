//! Parcels in the database.

use chrono::TimeDelta;
use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait, QueryOrder,
    QuerySelect, Select, Statement, Value,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait, Func, LikeExpr, LockBehavior, LockType},
};

use super::row::{ActiveModel, Column, Entity, Model as Parcel, Stage};
use crate::platform::{
    clock::{Moment, SKEW},
    db,
};

/// Most rows listed at a time.
pub const BATCH: u64 = 500;

/// The longest that a parcel waits between two attempts, whatever the other side asks for.
const LONGEST_WAIT: TimeDelta = TimeDelta::days(1);

/// What is said of a parcel that nobody came to.
pub const LATE: &str = "its time was over before it could be sent";

/// What is said of one that somebody took and did not come back from.
const LOST: &str = "the server stopped while it was sent, and its time was over";

/// A parcel to be written.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The site that it is about, if it is about one.
    pub site_id: Option<Uuid>,
    /// Whose business it is, of the couriers.
    pub kind: &'static str,
    /// Who is told.
    pub target_id: Uuid,
    /// What it tells of.
    pub subject_id: Uuid,
    /// What happened, in a word.
    pub topic: String,
    /// What is said.
    pub body: String,
    /// How long it is of use.
    pub life: TimeDelta,
}

impl Draft {
    fn row(self, now: Moment) -> ActiveModel {
        ActiveModel {
            id: Set(Uuid::new_v4()),
            site_id: Set(self.site_id),
            kind: Set(self.kind.to_owned()),
            target_id: Set(self.target_id),
            subject_id: Set(self.subject_id),
            topic: Set(self.topic),
            body: Set(self.body),
            state: Set(Stage::Waiting),
            attempts: Set(0),
            next_at: Set(now),
            lease: Set(None),
            said: Set(String::new()),
            created_at: Set(now),
            expires_at: Set(now + self.life),
            ended_at: Set(None),
        }
    }
}

/// Writes parcels, in the transaction of what they tell of.
///
/// # Errors
/// When the database fails.
pub async fn put(db: &impl ConnectionTrait, drafts: Vec<Draft>, now: Moment) -> Result<(), DbErr> {
    if drafts.is_empty() {
        return Ok(());
    }
    Entity::insert_many(drafts.into_iter().map(|draft| draft.row(now)))
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// A parcel that this process carries, until its lease ends.
#[derive(Debug, Clone)]
pub struct Taken {
    /// What is to be carried.
    pub parcel: Parcel,
    lease: Uuid,
}

/// Writes a parcel that the writer carries itself, within the time of the lease.
///
/// # Errors
/// When the database fails.
pub async fn put_taken(
    db: &impl ConnectionTrait,
    draft: Draft,
    time: TimeDelta,
    now: Moment,
) -> Result<Taken, DbErr> {
    let lease = Uuid::new_v4();
    let row = ActiveModel {
        lease: Set(Some(lease)),
        attempts: Set(1),
        next_at: Set(now + time),
        ..draft.row(now)
    };
    let parcel = Entity::insert(row).exec_with_returning(db).await?;
    Ok(Taken { parcel, lease })
}

/// What is no site's counts as that of one, so that letters hold up no webhook.
pub(super) const NO_SITE: Uuid = Uuid::nil();

/// Which parcels a server takes.
pub(super) struct Wanted {
    /// Of these kinds, each of which whoever takes it has for so long.
    pub(super) kinds: Vec<(&'static str, TimeDelta)>,
    /// At most so many.
    pub(super) room: usize,
    /// At most so many of these to one target.
    pub(super) to_each: usize,
    /// At most so many of these of one site.
    pub(super) of_each: usize,
    /// None to these targets, and none of these sites; [`NO_SITE`] stands for what is no site's.
    pub(super) busy: Vec<Uuid>,
}

/// Takes parcels that are due. Of several servers one gets each.
pub(super) async fn take(
    db: &DatabaseConnection,
    wanted: &Wanted,
    now: Moment,
) -> Result<Vec<Taken>, DbErr> {
    let due = due(db, wanted, now).await?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let lease = Uuid::new_v4();
    let transaction = db::begin(db).await?;
    let free: Vec<Uuid> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::Id.is_in(due))
        .filter(Column::State.eq(Stage::Waiting))
        .filter(Column::NextAt.lte(now))
        // PostgreSQL: what another server takes at this moment is passed over. SQLite has one writer.
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_tuple()
        .all(&transaction)
        .await?;
    for (kind, time) in &wanted.kinds {
        Entity::update_many()
            .col_expr(Column::Lease, Expr::value(lease))
            .col_expr(Column::NextAt, Expr::value(now + *time))
            .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
            .filter(Column::Id.is_in(free.iter().copied()))
            .filter(Column::Kind.eq(*kind))
            .exec(&transaction)
            .await?;
    }
    transaction.commit().await?;
    let taken = Entity::find()
        .filter(Column::Lease.eq(lease))
        .order_by_asc(Column::CreatedAt)
        .all(db)
        .await?;
    Ok(taken
        .into_iter()
        .map(|parcel| Taken { parcel, lease })
        .collect())
}

/// The ids of parcels that are due, in turn of each site and to each of its targets, so that one with many holds
/// up no other.
async fn due(db: &DatabaseConnection, wanted: &Wanted, now: Moment) -> Result<Vec<Uuid>, DbErr> {
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let mut values: Vec<Value> = vec![
        now.into(),
        number(wanted.to_each).into(),
        number(wanted.of_each).into(),
        number(wanted.room).into(),
    ];
    let mut list = |items: Vec<Value>| {
        let from = values.len();
        values.extend(items);
        let places: Vec<String> = (from + 1..=values.len())
            .map(|at| format!("${at}"))
            .collect();
        places.join(", ")
    };
    let kinds = list(
        wanted
            .kinds
            .iter()
            .map(|(kind, _)| (*kind).into())
            .collect(),
    );
    let busy = list(wanted.busy.iter().map(|id| (*id).into()).collect());
    let others = if busy.is_empty() {
        String::new()
    } else {
        // Of what is no site's a comparison with the busy ones is never true.
        let no_sites = if wanted.busy.contains(&NO_SITE) {
            ""
        } else {
            "site_id is null or "
        };
        format!("and target_id not in ({busy}) and ({no_sites}site_id not in ({busy}))")
    };
    let query = format!(
        "select id from (
             select id, next_at, row_number() over (partition by site_id order by place, next_at, id) as turn
             from (
                 select id, site_id, next_at, row_number() over (partition by target_id order by next_at, id) as place
                 from outbox
                 where state = 'waiting' and next_at <= $1 and expires_at > $1 and kind in ({kinds}) {others}
             ) as each_target where place <= $2
         ) as each_site where turn <= $3 order by turn, next_at limit $4"
    );
    let statement = Statement::from_sql_and_values(db.get_database_backend(), query, values);
    let rows = db.query_all_raw(statement).await?;
    rows.iter().map(|row| row.try_get("", "id")).collect()
}

/// Notes what became of an attempt. `false` where the lease had ended and somebody else has the parcel.
///
/// # Errors
/// When the database fails.
pub async fn finish(
    db: &impl ConnectionTrait,
    taken: &Taken,
    (state, said): (Stage, &str),
    next: Option<TimeDelta>,
    now: Moment,
) -> Result<bool, DbErr> {
    let parcel = &taken.parcel;
    let next_at = now + next.unwrap_or_default().min(LONGEST_WAIT);
    // What would come too late is given up now.
    let state = match state {
        Stage::Waiting if next_at >= parcel.expires_at => Stage::Dead,
        state => state,
    };
    let noted = Entity::update_many()
        .set(ActiveModel {
            state: Set(state),
            said: Set(said.to_owned()),
            next_at: Set(next_at),
            lease: Set(None),
            ended_at: Set((state != Stage::Waiting).then_some(now)),
            ..Default::default()
        })
        .filter(Column::Id.eq(parcel.id))
        .filter(Column::Lease.eq(taken.lease))
        .exec(db)
        .await?;
    Ok(noted.rows_affected == 1)
}

/// What nobody took in time.
fn overdue(now: Moment) -> Select<Entity> {
    Entity::find()
        .filter(Column::State.eq(Stage::Waiting))
        .filter(Column::NextAt.lte(now))
        .filter(Column::ExpiresAt.lte(now))
}

/// Whether there is anything to [`expire`].
pub(super) async fn has_overdue(db: &DatabaseConnection, now: Moment) -> Result<bool, DbErr> {
    Ok(overdue(now).one(db).await?.is_some())
}

/// Gives up what nobody took in time, a batch of it, and says so where nothing was said yet. What that was.
pub(super) async fn expire(
    transaction: &DatabaseTransaction,
    now: Moment,
) -> Result<Vec<Parcel>, DbErr> {
    let mut over = overdue(now)
        .limit(BATCH)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(transaction)
        .await?;
    Entity::update_many()
        .col_expr(Column::State, Expr::value(Stage::Dead))
        .col_expr(Column::Lease, Expr::value(None::<Uuid>))
        .col_expr(Column::EndedAt, Expr::col(Column::ExpiresAt))
        .filter(Column::Id.is_in(over.iter().map(|parcel| parcel.id)))
        .exec(transaction)
        .await?;
    for parcel in over.iter_mut().filter(|parcel| parcel.said.is_empty()) {
        let said = if parcel.attempts == 0 { LATE } else { LOST };
        said.clone_into(&mut parcel.said);
    }
    for said in [LATE, LOST] {
        let silent = over.iter().filter(|parcel| parcel.said == said);
        Entity::update_many()
            .col_expr(Column::Said, Expr::value(said))
            .filter(Column::Id.is_in(silent.map(|parcel| parcel.id)))
            .exec(transaction)
            .await?;
    }
    Ok(over)
}

/// Forgets what ended before, a batch of it; whether that was all.
///
/// # Errors
/// When the database fails.
pub async fn forget(db: &impl ConnectionTrait, before: Moment) -> Result<bool, DbErr> {
    db::forget::<Entity>(db, Column::Id, Column::EndedAt.lt(before)).await
}

/// Throws away all parcels to these targets.
///
/// # Errors
/// When the database fails.
pub async fn discard(db: &impl ConnectionTrait, targets: &[Uuid]) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::TargetId.is_in(targets.iter().copied()))
        .exec(db)
        .await?;
    Ok(())
}

/// Forgets parcels of a kind whose body has this text in it, however it is written large or small.
///
/// # Errors
/// When the database fails.
pub async fn discard_naming(
    db: &impl ConnectionTrait,
    kind: &str,
    text: &str,
) -> Result<(), DbErr> {
    let within = |text: &str| {
        let escaped = text.chars().flat_map(|sign| {
            let before = matches!(sign, '%' | '_' | '!').then_some('!');
            before.into_iter().chain([sign])
        });
        let escaped: String = escaped.collect();
        LikeExpr::new(format!("%{escaped}%")).escape('!')
    };
    let body = || Expr::col(Column::Body);
    let as_it_is = body().like(within(text));
    let in_small = Expr::expr(Func::lower(body())).like(within(&text.to_lowercase()));
    Entity::delete_many()
        .filter(Column::Kind.eq(kind))
        .filter(as_it_is.or(in_small))
        .exec(db)
        .await?;
    Ok(())
}

/// The latest parcels to a target, the newest first, at most so many.
///
/// # Errors
/// When the database fails.
pub async fn listed(
    db: &impl ConnectionTrait,
    target_id: Uuid,
    only: Option<Stage>,
    most: u64,
) -> Result<Vec<Parcel>, DbErr> {
    let mut found = Entity::find().filter(Column::TargetId.eq(target_id));
    if let Some(state) = only {
        found = found.filter(Column::State.eq(state));
    }
    found
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id)
        .limit(most)
        .all(db)
        .await
}

/// A parcel about a site.
///
/// # Errors
/// When the database fails.
pub async fn within_site(
    db: &impl ConnectionTrait,
    site_id: Uuid,
    id: Uuid,
) -> Result<Option<Parcel>, DbErr> {
    Entity::find_by_id(id)
        .filter(Column::SiteId.eq(site_id))
        .one(db)
        .await
}

/// Delivers parcels that have ended once more. How many there were.
///
/// # Errors
/// When the database fails.
pub async fn again(
    db: &impl ConnectionTrait,
    ids: Vec<Uuid>,
    life: TimeDelta,
    now: Moment,
) -> Result<u64, DbErr> {
    let put = Entity::update_many()
        .set(ActiveModel {
            state: Set(Stage::Waiting),
            attempts: Set(0),
            next_at: Set(now),
            expires_at: Set(now + life),
            ended_at: Set(None),
            ..Default::default()
        })
        .filter(Column::Id.is_in(ids))
        .filter(Column::State.ne(Stage::Waiting))
        .exec(db)
        .await?;
    Ok(put.rows_affected)
}

/// Lets nothing wait for longer than it could if it failed now, after the clock was ahead when it did.
///
/// # Errors
/// When the database fails.
pub async fn bound_waits(db: &impl ConnectionTrait, now: Moment) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::NextAt, Expr::value(now))
        .filter(Column::State.eq(Stage::Waiting))
        .filter(Column::NextAt.gt(now + LONGEST_WAIT + SKEW))
        .exec(db)
        .await?;
    Ok(())
}
