//! The outbox of verdicts: the row that holds the verdict also says whether it is known to have been
//! delivered. The server that broadcasts it marks it afterwards; any server resends what is not marked.

use std::collections::HashSet;

use sea_orm::DbErr;
use uuid::Uuid;

use super::decoy;
use crate::{
    client::ClientError,
    platform::{clock::Moment, events::Event, state::State},
    sign_on::{model::SignOn, store},
    site,
};

/// A verdict to be sent again.
pub struct Undelivered {
    /// The sign-on that the message is part of.
    pub sign_on_id: Uuid,
    /// What to send; `None` when its client is gone and nobody waits.
    pub event: Option<Event>,
}

/// Verdicts given by this moment that are not known to have been broadcast, a batch of them,
/// without those that are `under_way`.
///
/// # Errors
/// When the database fails.
pub async fn undelivered(
    state: &State,
    until: Moment,
    under_way: &HashSet<Uuid>,
) -> Result<Vec<Undelivered>, DbErr> {
    let mut rows = store::undelivered(&state.db, until).await?;
    rows.retain(|row| !under_way.contains(&row.id));
    all(state, rows).await
}

/// Verdicts that were broadcast since this moment, for when it is doubtful that they arrived.
///
/// # Errors
/// When the database fails.
pub async fn delivered_since(state: &State, since: Moment) -> Result<Vec<Undelivered>, DbErr> {
    all(state, store::delivered_since(&state.db, since).await?).await
}

/// Marks verdicts as delivered.
///
/// # Errors
/// When the database fails.
pub async fn mark_delivered(state: &State, sign_on_ids: &[Uuid]) -> Result<(), DbErr> {
    store::mark_delivered(&state.db, sign_on_ids, state.now()).await
}

async fn all(state: &State, rows: Vec<SignOn>) -> Result<Vec<Undelivered>, DbErr> {
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        found.push(Undelivered {
            sign_on_id: row.id,
            event: event(state, &row).await?,
        });
    }
    Ok(found)
}

async fn event(state: &State, sign_on: &SignOn) -> Result<Option<Event>, DbErr> {
    let Some(site) = site::find(&state.db, sign_on.site_id).await? else {
        return Ok(None);
    };
    let client = match decoy::client_of(state, &site, sign_on).await {
        Ok(client) => client,
        Err(ClientError::Database(error)) => return Err(error),
        Err(_) => return Ok(None),
    };
    let verdict = sign_on.verdict(&client, &state.keys, state.now());
    Ok(verdict.map(|verdict| Event::Decided {
        at: site.for_events(),
        client_id: client.id,
        sign_on_id: sign_on.id,
        verdict,
    }))
}
