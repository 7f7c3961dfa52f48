//! Rate limits that all servers agree on: the generic cell rate algorithm, its one number a key
//! kept in the database and moved by a single statement.

mod http;

use std::fmt::Display;

use sea_orm::{ConnectionTrait, DbErr, Statement};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::platform::{
    clock::{Moment, SKEW, seconds},
    config::Limits,
    state::State,
};

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Pushes by the person's address.
    PushByIp,
    /// Pushes to one client.
    PushByClient,
    /// Scans by the phone's address.
    VerifyByIp,
    /// Scans for one sign-on.
    VerifyBySignOn,
    /// `application_auth` by address.
    Auth,
    /// Faces sent for enrolment by one phone.
    Enrol,
    /// Any other limited route by address.
    Other,
}

impl Rule {
    fn most(self, limits: &Limits) -> u32 {
        match self {
            Self::PushByIp => limits.push_per_ip,
            Self::PushByClient => limits.push_per_client,
            Self::VerifyByIp => limits.verify_per_ip,
            Self::VerifyBySignOn => limits.verify_per_sign_on,
            Self::Auth => limits.auth_per_ip,
            Self::Enrol => limits.enrol_per_device,
            Self::Other => limits.other_per_ip,
        }
    }
}

/// A request over its limit.
#[derive(Debug, Error)]
pub enum Limited {
    /// Too many.
    #[error("too many requests; try again in {retry_after} s")]
    Over {
        /// Which limit.
        rule: Rule,
        /// Seconds until the next one is let through.
        retry_after: u64,
    },
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Lets a request through, or says how long to wait.
///
/// `most` requests may come at once, then one in each `window / most`: the key's theoretical
/// arrival time (ITU-T I.371's virtual scheduling) moves on by that interval, and may not run
/// ahead of the present by more than the window. One that does was written by a clock that has been
/// corrected since, and counts for nothing.
///
/// # Errors
/// [`Limited::Over`] beyond the limit.
pub async fn check(state: &State, rule: Rule, subject: impl Display) -> Result<(), Limited> {
    let (db, limits) = (&state.db, &state.settings.limits);
    const TAKE: &str = "\
        insert into limits (id, arrival) values ($1, $2) \
        on conflict (id) do update set arrival = $4 + \
          (case when limits.arrival > $3 and limits.arrival <= $6 then limits.arrival else $3 end) \
        where $4 - $3 + \
          (case when limits.arrival > $3 and limits.arrival <= $6 then limits.arrival else $3 end) \
          <= $5";
    let id = id(rule, &subject);
    let (window, interval) = (window(limits), interval(rule, limits));
    let now = state.now().timestamp_micros();
    let values = [
        id.clone().into(),
        (now + interval).into(),
        now.into(),
        interval.into(),
        window.into(),
        furthest(limits, state.now()).into(),
    ];
    let backend = db.get_database_backend();
    let taken = db
        .execute_raw(Statement::from_sql_and_values(backend, TAKE, values))
        .await?;
    if taken.rows_affected() == 1 {
        return Ok(());
    }
    let wait = wait(state, rule, id).await?;
    let retry_after = u64::try_from(wait.max(0)).unwrap_or(0).div_ceil(1_000_000);
    Err(Limited::Over { rule, retry_after })
}

/// Says whether [`check`] would let a request through, and counts nothing.
///
/// # Errors
/// [`Limited::Over`] where it would not.
pub async fn peek(state: &State, rule: Rule, subject: impl Display) -> Result<(), Limited> {
    match wait(state, rule, id(rule, &subject)).await? {
        ..=0 => Ok(()),
        wait => Err(Limited::Over {
            rule,
            retry_after: wait.unsigned_abs().div_ceil(1_000_000),
        }),
    }
}

fn id(rule: Rule, subject: &impl Display) -> Vec<u8> {
    Sha256::digest(format!("{rule:?} {subject}")).to_vec()
}

/// Microseconds until a key lets the next request through; negative when it has room.
async fn wait(state: &State, rule: Rule, id: Vec<u8>) -> Result<i64, DbErr> {
    const READ: &str = "select arrival from limits where id = $1";
    let (now, limits) = (state.now(), &state.settings.limits);
    let backend = state.db.get_database_backend();
    let read = Statement::from_sql_and_values(backend, READ, [id.into()]);
    let row = state.db.query_one_raw(read).await?;
    let arrival: Option<i64> = row.map(|row| row.try_get("", "arrival")).transpose()?;
    let arrival = arrival.filter(|arrival| *arrival <= furthest(limits, now));
    let now = now.timestamp_micros();
    Ok(arrival.unwrap_or(now).max(now) + interval(rule, limits) - window(limits) - now)
}

const MICROSECONDS: i64 = 1_000_000;

fn window(limits: &Limits) -> i64 {
    i64::from(limits.window) * MICROSECONDS
}

/// Microseconds that one request takes of the window.
fn interval(rule: Rule, limits: &Limits) -> i64 {
    window(limits) / i64::from(rule.most(limits).max(1))
}

/// The furthest arrival to be believed, in microseconds.
fn furthest(limits: &Limits, now: Moment) -> i64 {
    (now + seconds(limits.window) + SKEW).timestamp_micros()
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
            furthest(&state.settings.limits, now).into(),
        ],
    );
    state.db.execute_raw(statement).await?;
    Ok(())
}
