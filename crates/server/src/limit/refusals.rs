//! What is refused is recorded too, but a flood of refusals must not become a flood of rows: of one kind
//! and one subject, the first in each window is.

use std::fmt::Display;

use sea_orm::DbErr;

use super::{rule::Rule, store::take};
use crate::{
    audit::{self, Action, Entry, INSTALLATION},
    platform::state::State,
};

/// Records a refusal, unless one of this kind and subject was recorded within the window. That it could
/// not be recorded is logged, and changes nothing for the caller, who is refused anyway.
pub async fn record_refusal(state: &State, entry: Entry, subject: impl Display) {
    let action = entry.action();
    if let Err(error) = record(state, entry, &subject.to_string()).await {
        tracing::error!(%error, action = action.as_str(), "a refusal could not be recorded");
    }
}

async fn record(state: &State, entry: Entry, subject: &str) -> Result<(), DbErr> {
    let what = format!("{} {subject}", entry.action().as_str());
    // One a window.
    if take(state, Rule::Recorded, &what).await?.is_some() {
        return Ok(());
    }
    entry
        .record_alone(&state.db, &state.keys, state.now())
        .await
}

/// Records that a limit was reached.
pub(super) async fn reached(state: &State, rule: Rule, subject: &str) {
    let site_id = audit::current().site_id.unwrap_or(INSTALLATION);
    let what = format!("{}: {subject}", rule.name());
    let entry = Entry::new(site_id, Action::LimitReached).detail(&what);
    record_refusal(state, entry, what).await;
}
