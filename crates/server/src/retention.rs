//! How long what is over is kept. Nothing grows for ever: what is not bounded by the people and sites there
//! are goes by age. `docs/retention.md` says for every table how, and a test holds it to that.

use std::sync::{Mutex, PoisonError};

use chrono::TimeDelta;
use sea_orm::DbErr;
use uuid::Uuid;

use crate::{
    audit::{self, Pruned},
    device, enrolment, face,
    platform::{
        clock::{Moment, seconds},
        outbox,
        state::State,
    },
    push, sign_on, site,
};

/// How often it is looked for what is too old: lives are days.
const EVERY: TimeDelta = TimeDelta::minutes(10);

/// How long a pairing code is kept after its end, for the question what became of it.
const CODES: TimeDelta = TimeDelta::days(1);

/// When this server looked last.
#[derive(Debug, Default)]
pub struct Retention(Mutex<Option<Moment>>);

impl Retention {
    /// Removes what is too old, a batch of each kind, unless this server did so lately. Where a batch was
    /// full it goes on the next time, so that what else is swept need not wait.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep(&self, state: &State) -> Result<(), DbErr> {
        let now = state.now();
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| last <= now && now < last + EVERY) {
            return Ok(());
        }
        let is_done = remove(state, now).await?;
        if is_done {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        }
        Ok(())
    }
}

/// Removes a batch of each kind; whether that was all.
async fn remove(state: &State, now: Moment) -> Result<bool, DbErr> {
    let (db, kept) = (&state.db, &state.settings.retention);
    let mut is_done = true;
    let sites = site::all(db).await?;
    for site in &sites {
        let before = now - life(site.settings.sign_on_days, kept.sign_ons);
        // Never one that may still be open.
        let before = before.min(now - seconds(state.settings.sign_on.lifetime));
        is_done &= sign_on::forget(db, site.id, before).await?;
    }
    let of = |site_id: Uuid| sites.iter().find(|site| site.id == site_id);
    for site_id in audit::sites(db).await? {
        let days = of(site_id).and_then(|site| site.settings.audit_days);
        let before = now - life(days, kept.audit);
        match audit::prune(db, &state.keys, site_id, before).await? {
            Pruned::Lines(0) => {}
            Pruned::Lines(_) => is_done = false,
            Pruned::Broken => tracing::error!(
                %site_id,
                "old lines of the audit log stay, because they do not verify; run axiam audit verify"
            ),
        }
    }
    sign_on::forget_freezes(db, now).await?;
    is_done &= enrolment::forget(db, now - CODES).await?;
    is_done &= face::forget_consents(db, now - seconds(kept.consents)).await?;
    is_done &= outbox::forget(db, now - seconds(kept.outbox)).await?;
    site::forget_signing_keys(db, now).await?;
    if let Err(error) = push::forget_keys(state).await {
        tracing::error!(%error, "a key that signed to push services is kept");
    }
    is_done &= device::forget(db, now - seconds(kept.devices)).await?;
    Ok(is_done)
}

/// What the site says, else the installation.
fn life(days: Option<u32>, usual: u32) -> TimeDelta {
    days.map_or_else(|| seconds(usual), |days| TimeDelta::days(days.into()))
}
