//! From push to verdict to proof.

mod answerer;
mod asked;
mod decoy;
mod door;
mod erase;
mod fatigue;
mod origin;
mod outbox;
mod outcome;
mod phone;
mod refusal;
mod request;
mod scan;
mod test_answer;

use uuid::Uuid;

pub(super) use self::{
    asked::Wanted,
    decoy::nobody,
    origin::Origin,
    outcome::{Proof, redeem, status_by_token},
    phone::{deny, inbox, recent},
    refusal::record_refused_request,
    request::{cancel, request},
    scan::{Scan, challenge, verify},
};
pub use self::{
    door::{Waiting, ask_at_door, cancel_at_door, redeem_at_door, standing_at_door},
    erase::{Erased, erase},
    outbox::{Undelivered, delivered_since, mark_delivered, undelivered},
    outcome::{client_and_token, expire_due, find_watched, watch},
    phone::{inbox_entry, open_for},
    test_answer::answer_overdue,
};
use super::{
    model::{SignOn, SignOnError},
    store,
};
use crate::{
    device::{Device, Standing},
    platform::{
        events::{Event, Verdict},
        secret,
        state::State,
    },
    site::Site,
};

/// An open sign-on of the phone's client. To a phone that waits to be confirmed there is none.
async fn find_open(state: &State, device: &Device, id: Uuid) -> Result<SignOn, SignOnError> {
    if Standing::of(&state.db, device, state.now()).await? == Standing::Waiting {
        return Err(SignOnError::NotFound);
    }
    let sign_on = store::find_for_device(&state.db, device, id)
        .await?
        .ok_or(SignOnError::NotFound)?;
    sign_on.open(state.now())?;
    Ok(sign_on)
}

/// Why a step was not taken although the row looked open a moment ago.
async fn overtaken(state: &State, site: &Site, id: Uuid) -> SignOnError {
    match store::find_on_site(&state.db, site.id, id).await {
        Ok(Some(sign_on)) => sign_on
            .open(state.now())
            .err()
            .unwrap_or(SignOnError::Challenge),
        Ok(None) => SignOnError::NotFound,
        Err(error) => error.into(),
    }
}

async fn find_for_site(state: &State, site: &Site, token: &str) -> Result<SignOn, SignOnError> {
    store::find_by_token(&state.db, secret::hash(token))
        .await?
        .filter(|sign_on| sign_on.site_id == site.id)
        .ok_or(SignOnError::NotFound)
}

fn decided(state: &State, site: &Site, client_id: Uuid, sign_on_id: Uuid, verdict: Verdict) {
    state.events.publish(&Event::Decided {
        at: site.for_events(),
        client_id,
        sign_on_id,
        verdict,
    });
}
