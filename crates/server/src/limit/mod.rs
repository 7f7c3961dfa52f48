//! Rate limits that all servers agree on: the generic cell rate algorithm, its one number a key
//! kept in the database and moved by a single statement.

mod http;
mod rate;

use std::fmt::Display;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement};
use sha2::{Digest, Sha256};
use thiserror::Error;

pub use self::rate::Rate;
use crate::platform::{clock::Moment, config::Limits, state::State};

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

/// Lets a request through, or says how long to wait. What [`Rate::take`] does, as one statement, so
/// that servers agree.
///
/// # Errors
/// [`Limited::Over`] beyond the limit.
pub async fn check(state: &State, rule: Rule, subject: impl Display) -> Result<(), Limited> {
    let (db, limits) = (&state.db, &state.settings.limits);
    const TAKE: &str = "\
        insert into limits (id, arrival) values ($1, $2) \
        on conflict (id) do update set \
          arrival = (case when limits.arrival > $3 then limits.arrival else $3 end) + $4 \
        where (case when limits.arrival > $3 then limits.arrival else $3 end) + $4 - $3 <= $5";
    let id = Sha256::digest(format!("{rule:?} {subject}")).to_vec();
    let rate = Rate::new(rule.most(limits), limits.window);
    let now = state.now().timestamp_micros();
    let values = [
        id.clone().into(),
        (now + rate.interval).into(),
        now.into(),
        rate.interval.into(),
        rate.window.into(),
    ];
    let backend = db.get_database_backend();
    let taken = db
        .execute_raw(Statement::from_sql_and_values(backend, TAKE, values))
        .await?;
    if taken.rows_affected() == 1 {
        return Ok(());
    }
    let read = "select arrival from limits where id = $1";
    let arrival: i64 = db
        .query_one_raw(Statement::from_sql_and_values(backend, read, [id.into()]))
        .await?
        .map_or(Ok(now), |row| row.try_get("", "arrival"))?;
    let wait = rate.take(arrival, now).err().unwrap_or(0);
    Err(Limited::Over {
        rule,
        retry_after: u64::try_from(wait).unwrap_or(0).div_ceil(1_000_000),
    })
}

/// Forgets keys whose time has come; they are as good as new.
///
/// # Errors
/// When the database fails.
pub async fn forget(db: &DatabaseConnection, now: Moment) -> Result<(), DbErr> {
    let statement = Statement::from_sql_and_values(
        db.get_database_backend(),
        "delete from limits where arrival < $1",
        [now.timestamp_micros().into()],
    );
    db.execute_raw(statement).await?;
    Ok(())
}
