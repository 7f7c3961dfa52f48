//! The one number of each key, in the database.

use sea_orm::{ConnectionTrait, DbErr, Statement};
use sha2::{Digest, Sha256};

use super::{rate::Rate, rule::Rule};
use crate::platform::state::State;

/// Takes one: what [`Rate::take`] does, as one statement, so that servers agree; where there is none left, seconds until there is.
pub(super) async fn take(state: &State, rule: Rule, subject: &str) -> Result<Option<u64>, DbErr> {
    let (db, limits) = (&state.db, &state.settings.limits);
    const TAKE: &str = "\
        insert into limits (id, arrival) values ($1, $2) \
        on conflict (id) do update set arrival = $4 + \
          (case when limits.arrival > $3 and limits.arrival <= $6 then limits.arrival else $3 end) \
        where $4 - $3 + \
          (case when limits.arrival > $3 and limits.arrival <= $6 then limits.arrival else $3 end) \
          <= $5";
    let id = id(rule, subject);
    let rate = rule.rate(limits);
    let now = state.now().timestamp_micros();
    let values = [
        id.clone().into(),
        (now + rate.interval).into(),
        now.into(),
        rate.interval.into(),
        rate.window.into(),
        rate.furthest(now).into(),
    ];
    let backend = db.get_database_backend();
    let taken = db
        .execute_raw(Statement::from_sql_and_values(backend, TAKE, values))
        .await?;
    if taken.rows_affected() == 1 {
        return Ok(None);
    }
    let wait = wait(state, rule, id).await?;
    let retry_after = u64::try_from(wait.max(0)).unwrap_or(0).div_ceil(1_000_000);
    Ok(Some(retry_after))
}

pub(super) fn id(rule: Rule, subject: &str) -> Vec<u8> {
    Sha256::digest(format!("{rule:?} {subject}")).to_vec()
}

/// Microseconds until a key lets the next request through; 0 when it has room.
pub(super) async fn wait(state: &State, rule: Rule, id: Vec<u8>) -> Result<i64, DbErr> {
    const READ: &str = "select arrival from limits where id = $1";
    let (now, limits) = (state.now(), &state.settings.limits);
    let backend = state.db.get_database_backend();
    let read = Statement::from_sql_and_values(backend, READ, [id.into()]);
    let row = state.db.query_one_raw(read).await?;
    let arrival: Option<i64> = row.map(|row| row.try_get("", "arrival")).transpose()?;
    let now = now.timestamp_micros();
    let taken = rule.rate(limits).take(arrival.unwrap_or(now), now);
    Ok(taken.err().unwrap_or(0))
}

/// Forgets keys whose time has come, which are as good as new, and those of a clock that was wrong.
///
/// # Errors
/// When the database fails.
pub async fn forget(state: &State) -> Result<(), DbErr> {
    let now = state.now();
    let statement = Statement::from_sql_and_values(
        state.db.get_database_backend(),
        "delete from limits where arrival < $1 or arrival > $2",
        [
            now.timestamp_micros().into(),
            Rate::new(1, state.settings.limits.window)
                .furthest(now.timestamp_micros())
                .into(),
        ],
    );
    state.db.execute_raw(statement).await?;
    Ok(())
}
