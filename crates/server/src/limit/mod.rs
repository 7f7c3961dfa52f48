//! Rate limits that all servers agree on: the generic cell rate algorithm, its one number a key
//! kept in the database and moved by a single statement.

mod http;
mod rate;

use std::fmt::Display;

use sea_orm::{ConnectionTrait, DbErr, Statement};
use sha2::{Digest, Sha256};
use thiserror::Error;

pub use self::rate::Rate;
use crate::platform::{config::Limits, state::State};

/// A kind of request that is counted, and by what.
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
    /// Failed `application_auth` by the caller's address.
    Auth,
    /// Faces sent for enrolment by one phone.
    Enrol,
    /// Any other limited route by address.
    Other,
}

impl Rule {
    fn rate(self, limits: &Limits) -> Rate {
        Rate::new(self.most(limits), limits.window)
    }

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
    /// There were too many requests of this kind lately.
    #[error("too many requests; try again in {retry_after} s")]
    Over {
        /// Which limit was reached.
        rule: Rule,
        /// Seconds until the next one is let through.
        retry_after: u64,
    },
    /// The database failed, or could not be reached.
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Lets a request through, or says how long to wait. What [`Rate::take`] does, as one statement, so
/// that servers agree.
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

/// Microseconds until a key lets the next request through; 0 when it has room.
async fn wait(state: &State, rule: Rule, id: Vec<u8>) -> Result<i64, DbErr> {
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
