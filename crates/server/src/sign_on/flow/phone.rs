//! What the phone does besides: look what waits, say no.

use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::{decided, find_open, overtaken, site_of};
use crate::{
    audit::{Action, Entry},
    clock::seconds,
    db,
    device::Device,
    events::Verdict,
    sign_on::{
        model::{SignOn, SignOnError, State as Stage},
        store,
    },
    site::Site,
    state::State,
};

/// How often a waiting phone's inbox is looked at, in case another server put something there.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Open sign-ons of the phone's client; where there is none, waits for one.
pub(in crate::sign_on) async fn inbox(
    state: &State,
    device: &Device,
    wait: Duration,
) -> Result<(Site, Vec<SignOn>), SignOnError> {
    let site = site_of(state, device).await?;
    let give_up = Instant::now() + wait;
    loop {
        // Asked for before looking, so that nothing that comes in between is slept through.
        let woken = state.bell.wait(device.client_id);
        let open = store::open_for_device(&state.db, device, state.now()).await?;
        if !open.is_empty() || Instant::now() >= give_up {
            return Ok((site, open));
        }
        let look_again = give_up.min(Instant::now() + LOOK_AGAIN);
        // Woken or not, the next step is to look.
        let _ = tokio::time::timeout_at(look_again, woken).await;
    }
}

/// The person says no; with `report`, also that it was not them who asked.
pub(in crate::sign_on) async fn deny(
    state: &State,
    device: &Device,
    id: Uuid,
    report: bool,
) -> Result<(), SignOnError> {
    let now = state.now();
    let site = site_of(state, device).await?;
    let sign_on = find_open(state, device, id).await?;
    let transaction = db::begin(&state.db).await?;
    if !store::end(
        &transaction,
        id,
        Stage::Denied,
        Some(device),
        Some(now),
        now,
    )
    .await?
    {
        transaction.rollback().await?;
        return Err(overtaken(state, device, id).await);
    }
    let action = if report {
        Action::SignOnReported
    } else {
        Action::SignOnDenied
    };
    if report {
        let until = now + seconds(state.settings.sign_on.freeze);
        store::freeze(&transaction, sign_on.client_id, &sign_on.ip, until).await?;
    }
    Entry::new(site.id, action)
        .client(sign_on.client_id)
        .device(device.id)
        .sign_on(id)
        .detail(format!("asked for from {}", sign_on.ip))
        .record(&transaction, now)
        .await?;
    transaction.commit().await?;
    decided(state, &site, id, Verdict::Denied);
    Ok(())
}
