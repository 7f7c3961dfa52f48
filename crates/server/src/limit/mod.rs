//! Rate limits that all servers agree on: the generic cell rate algorithm, its one number a key
//! kept in the database and moved by a single statement.

mod http;
mod rate;
mod refusals;
mod rule;
mod store;

use std::fmt::Display;

use sea_orm::DbErr;
use thiserror::Error;

use self::store::{id, take, wait};
pub use self::{rate::Rate, refusals::record_refusal, rule::Rule, store::forget};
use crate::platform::state::State;

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

/// Lets a request through, or says how long to wait; a refusal is recorded.
///
/// # Errors
/// [`Limited::Over`] beyond the limit.
pub async fn check(state: &State, rule: Rule, subject: impl Display) -> Result<(), Limited> {
    let subject = subject.to_string();
    match take(state, rule, &subject).await? {
        None => Ok(()),
        Some(retry_after) => {
            refusals::reached(state, rule, &subject).await;
            Err(Limited::Over { rule, retry_after })
        }
    }
}

/// Says whether [`check`] would let a request through, and counts nothing.
///
/// # Errors
/// [`Limited::Over`] where it would not.
pub async fn peek(state: &State, rule: Rule, subject: impl Display) -> Result<(), Limited> {
    let subject = subject.to_string();
    match wait(state, rule, id(rule, &subject)).await? {
        ..=0 => Ok(()),
        wait => {
            refusals::reached(state, rule, &subject).await;
            Err(Limited::Over {
                rule,
                retry_after: wait.unsigned_abs().div_ceil(1_000_000),
            })
        }
    }
}
