//! What the phone does besides: look what waits, say no.

use std::time::Duration;

use sea_orm::DbErr;
use tokio::time::Instant;
use uuid::Uuid;

use super::{decided, find_open, origin::network, overtaken};
use crate::{
    audit::{Action, Entry},
    device::{self, Device, Standing},
    platform::{clock::seconds, db, events::Verdict, state::State},
    push,
    sign_on::{
        InboxEntry, freezes,
        model::{SignOn, SignOnError, State as Stage},
        store,
    },
    site::{self, Site},
    webhook::{Message, Topic},
};

/// How often a waiting phone's inbox is looked at, in case another server put something there.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Open sign-ons of the phone's client; where there is none, waits for one.
pub(in crate::sign_on) async fn inbox(
    state: &State,
    device: &Device,
    wait: Duration,
) -> Result<Vec<SignOn>, SignOnError> {
    let give_up = Instant::now() + wait;
    loop {
        // Asked for before looking, so that nothing that comes in between is slept through.
        let woken = state.wake_ups.wait(device.client_id);
        let open = open_rows(state, device).await?;
        let is_over = Instant::now() >= give_up || state.wake_ups.has_ended();
        if !open.is_empty() || is_over {
            return Ok(open);
        }
        let look_again = give_up.min(Instant::now() + LOOK_AGAIN);
        // Woken or not, the next step is to look.
        let _ = tokio::time::timeout_at(look_again, woken).await;
    }
}

/// What waits for a phone, the newest first; nothing while the phone itself waits to be confirmed.
async fn open_rows(state: &State, device: &Device) -> Result<Vec<SignOn>, DbErr> {
    let now = state.now();
    // It may have been confirmed since its request began.
    let Some(device) = device::reread(&state.db, device).await? else {
        return Ok(Vec::new());
    };
    if !is_told(state, &device).await? {
        return Ok(Vec::new());
    }
    store::open_for_device(&state.db, &device, now).await
}

/// Whether a phone is told of its client's sign-ons: one that waits to be confirmed is not.
async fn is_told(state: &State, device: &Device) -> Result<bool, DbErr> {
    let standing = Standing::of(&state.db, device, state.now()).await?;
    Ok(standing != Standing::Waiting)
}

/// Most sign-ons in a phone's list of those that are over.
const RECENT: u64 = 20;

/// The latest sign-ons of the phone's client that are over, the newest first. A code on a screen can be filmed, and whoever
/// paired with it learns from a phone on trial nothing of where its person was before: it is told of what it answered.
pub(in crate::sign_on) async fn recent(
    state: &State,
    device: &Device,
) -> Result<Vec<SignOn>, DbErr> {
    match Standing::of(&state.db, device, state.now()).await? {
        Standing::Trusted => store::over_for_device(&state.db, device, RECENT).await,
        Standing::OnTrial => store::over_by_device(&state.db, device, RECENT).await,
        Standing::Waiting => Ok(Vec::new()),
    }
}

/// What waits for a phone now; nothing if its site is switched off.
///
/// # Errors
/// When the database fails.
pub async fn open_for(state: &State, device: &Device) -> Result<Vec<InboxEntry>, DbErr> {
    let Some(site) = site::find_enabled(&state.db, device.site_id).await? else {
        return Ok(Vec::new());
    };
    let open = open_rows(state, device).await?;
    Ok(open
        .into_iter()
        .map(|row| InboxEntry::of(&site, row))
        .collect())
}

/// What phones show of a site's sign-on, while it is open, and which phones are to show it.
///
/// # Errors
/// When the database fails.
pub async fn inbox_entry(
    state: &State,
    site_id: Uuid,
    id: Uuid,
) -> Result<Option<(InboxEntry, Vec<Device>)>, DbErr> {
    let Some(site) = site::find(&state.db, site_id).await? else {
        return Ok(None);
    };
    let now = state.now();
    let row = store::find_on_site(&state.db, site_id, id).await?;
    let Some(row) = row.filter(|row| row.open(now).is_ok() && !row.decoy) else {
        return Ok(None);
    };
    let phones = device::pushable(&state.db, site_id, row.client_id, now).await?;
    Ok(Some((InboxEntry::of(&site, row), phones)))
}

/// The person says no; with `report`, also that it was not them who asked.
pub(in crate::sign_on) async fn deny(
    state: &State,
    site: &Site,
    device: &Device,
    id: Uuid,
    report: bool,
) -> Result<(), SignOnError> {
    let now = state.now();
    let sign_on = find_open(state, device, id).await?;
    let transaction = db::begin(&state.db).await?;
    if !store::end(
        &transaction,
        id,
        Stage::Denied,
        Some(device.id),
        Some(now),
        now,
    )
    .await?
    {
        transaction.rollback().await?;
        return Err(overtaken(state, site, id).await);
    }
    let action = if report {
        Action::SignOnReported
    } else {
        Action::SignOnDenied
    };
    if !device.is_trusted() {
        // Whoever filmed a code could otherwise keep the person out by saying no for them.
        device::record_failure(&transaction, state, device, now).await?;
    } else if report {
        let until = now + seconds(state.settings.sign_on.freeze);
        let network = network(&sign_on.ip);
        freezes::freeze(&transaction, sign_on.client_id, &network, until).await?;
    }
    push::note_opened(&transaction, device, id, now).await?;
    let told = [
        Some(Topic::SignOnDenied),
        report.then_some(Topic::SignOnReported),
    ];
    for topic in told.into_iter().flatten() {
        Message::new(site.id, topic, sign_on.client_id)
            .sign_on(id, false)
            .device(Some(device.id))
            .enqueue(&transaction, now)
            .await?;
    }
    Entry::new(site.id, action)
        .client(sign_on.client_id)
        .device(device.id)
        .sign_on(id)
        .detail(format!(
            "asked for from {}",
            Some(sign_on.ip.as_str())
                .filter(|ip| !ip.is_empty())
                .unwrap_or("an address that was not stated")
        ))
        .record(&transaction, &state.keys, now)
        .await?;
    transaction.commit().await?;
    decided(state, site, device.client_id, id, Verdict::Denied);
    Ok(())
}
