//! Pairing a phone, and knowing it again.

use sea_orm::{ActiveValue::Set, DatabaseTransaction, DbErr};
use uuid::Uuid;

use super::{
    model::{ActiveModel, Device, Platform, Push, Without},
    proof::{Call, Proof, ProofError},
    standing::Standing,
    store,
};
use crate::{
    audit::{Action, Entry},
    enrolment::{self, EnrolmentError, FlowType},
    platform::{
        clock::seconds,
        db,
        events::{Event, PhoneChange},
        secret::{self, Secret},
        state::State,
    },
    site::{self, Site},
    webhook::{Message, Topic},
};

/// How often `last_seen_at` is written, seconds: it is for people, not worth a write a request.
const SEEN_EVERY: u32 = 60;

/// The device that a call comes from, by its proof and its token, and its site. Nothing is spent yet.
/// Of a site that is gone or switched off, phones are as unknown as strangers.
///
/// # Errors
/// See [`ProofError`].
pub async fn recognise(
    state: &State,
    proof: &str,
    call: &Call<'_>,
    token: &str,
) -> Result<(Device, Site, Proof), ProofError> {
    let now = state.now();
    let proof = Proof::check(proof, call, now)?;
    let device = store::find_by_token(&state.db, secret::hash(token), &proof.thumbprint, now)
        .await?
        .ok_or(ProofError::Unpaired)?;
    let site = site::find_enabled(&state.db, device.site_id)
        .await?
        .ok_or(ProofError::SiteOff)?;
    Ok((device, site, proof))
}

/// Spends a proof, once.
///
/// # Errors
/// [`ProofError::Replayed`] the second time.
pub async fn spend(
    state: &State,
    proof: &Proof,
    device: Option<&Device>,
) -> Result<(), ProofError> {
    let now = state.now();
    store::remember(&state.db, proof, now).await?;
    if let Some(device) = device
        && (device.push_lost_at.is_some() || device.last_seen_at + seconds(SEEN_EVERY) < now)
    {
        store::note_seen(&state.db, device, now).await?;
    }
    Ok(())
}

pub(super) struct Pairing {
    pub(super) name: String,
    pub(super) platform: Platform,
    pub(super) push: Push,
    pub(super) thumbprint: String,
    pub(super) without: Without,
}

pub(super) struct Paired {
    pub(super) device_id: Uuid,
    pub(super) client_id: Uuid,
    pub(super) site: Site,
    pub(super) token: Secret,
    pub(super) standing: Standing,
}

/// Pairs a phone by the token from its QR code.
pub(super) async fn register(
    state: &State,
    enrollment_token: &str,
    pairing: Pairing,
) -> Result<Paired, EnrolmentError> {
    let now = state.now();
    let device_id = Uuid::new_v4();
    let token = token_of(state, device_id);
    let transaction = db::begin(&state.db).await?;
    let enrolment = match enrolment::redeem(&transaction, enrollment_token, now).await {
        Err(EnrolmentError::Invalid) => {
            return answer_again(state, transaction, enrollment_token, pairing).await;
        }
        taken => taken?,
    };
    let (site_id, client_id) = (enrolment.site_id, enrolment.client_id);
    let row = ActiveModel {
        id: Set(device_id),
        site_id: Set(site_id),
        client_id: Set(client_id),
        name: Set(pairing.name),
        platform: Set(pairing.platform),
        thumbprint: Set(pairing.thumbprint),
        token_hash: Set(token.hash()),
        token_expires_at: Set(now + seconds(state.settings.device.token_lifetime)),
        push: Set(pairing.push),
        push_lost_at: Set(None),
        flow_type: Set(enrolment.flow_type),
        may_replace_face: Set(enrolment.flow_type == FlowType::Signup),
        challenge_hash: Set(None),
        challenge_sealed: Set(None),
        challenge_at: Set(None),
        challenge_until: Set(None),
        without: Set(pairing.without),
        created_at: Set(now),
        confirmed_at: Set(None),
        matched_at: Set(None),
        failures: Set(0),
        locked_until: Set(None),
        last_seen_at: Set(now),
        revoked_at: Set(None),
    };
    store::insert(&transaction, row).await?;
    let standing = Standing::of_new(&transaction, site_id, client_id, now).await?;
    Message::new(site_id, Topic::DevicePaired, client_id)
        .device(Some(device_id))
        .enqueue(&transaction, now)
        .await?;
    Entry::new(site_id, Action::DeviceRegistered)
        .client(client_id)
        .device(device_id)
        .detail(standing.as_str())
        .record(&transaction, &state.keys, now)
        .await?;
    transaction.commit().await?;
    let site = site::find(&state.db, site_id)
        .await?
        .ok_or(EnrolmentError::Invalid)?;
    state.events.publish(&Event::Registered {
        at: site.for_events(),
        client_id,
        flow_type: enrolment.flow_type.as_str().to_owned(),
    });
    if standing == Standing::Waiting {
        tell(state, &site, client_id, device_id, PhoneChange::Waits);
    }
    Ok(Paired {
        device_id,
        client_id,
        site,
        token,
        standing,
    })
}

/// The token of a phone. It is derived, so that a phone which asks again is given the one that it may have heard: a request
/// that was on its way for long takes nothing from a later one.
fn token_of(state: &State, device_id: Uuid) -> Secret {
    Secret::of("dt_", &state.keys.derive_device_secret(device_id))
}

/// Answers a phone whose own key took the code up a moment ago: it never heard the answer. Nothing is changed, for more may
/// be known of it by now. Whoever else has the code has another key.
async fn answer_again(
    state: &State,
    transaction: DatabaseTransaction,
    enrollment_token: &str,
    pairing: Pairing,
) -> Result<Paired, EnrolmentError> {
    let now = state.now();
    let invalid = || EnrolmentError::Invalid;
    let enrolment = enrolment::taken_up(&transaction, enrollment_token, now).await?;
    let enrolment = enrolment.ok_or_else(invalid)?;
    let (site_id, client_id) = (enrolment.site_id, enrolment.client_id);
    let paired = store::paired(&transaction, site_id, client_id, now).await?;
    let device = paired.iter().find(|device| {
        // The moment at which its code was taken up.
        device.thumbprint == pairing.thumbprint && Some(device.created_at) == enrolment.used_at
    });
    let device = device.ok_or_else(invalid)?;
    let token = token_of(state, device.id);
    if device.token_hash != token.hash() {
        return Err(invalid());
    }
    let standing = Standing::among(device, &paired);
    Entry::new(site_id, Action::DeviceRegistered)
        .client(client_id)
        .device(device.id)
        .detail(format!("{}, answered again", standing.as_str()))
        .record(&transaction, &state.keys, now)
        .await?;
    transaction.commit().await?;
    let site = site::find(&state.db, site_id).await?.ok_or_else(invalid)?;
    Ok(Paired {
        device_id: device.id,
        client_id,
        site,
        token,
        standing,
    })
}

/// Notes where a phone can be pushed to from now on.
pub(super) async fn set_push(state: &State, device: &Device, push: Push) -> Result<(), DbErr> {
    let kind = push.kind().to_owned();
    let transaction = db::begin(&state.db).await?;
    store::set_push(&transaction, device, push).await?;
    Entry::new(device.site_id, Action::PushAddressChanged)
        .client(device.client_id)
        .device(device.id)
        .detail(kind)
        .record(&transaction, &state.keys, state.now())
        .await?;
    transaction.commit().await
}

/// Tells a client's phones what became of one of them.
pub fn tell(state: &State, site: &Site, client_id: Uuid, device_id: Uuid, change: PhoneChange) {
    // A phone that was confirmed, and waits for a sign-on, is to look again.
    state.wake_ups.wake(client_id);
    state.events.publish(&Event::PhoneChanged {
        at: site.for_events(),
        client_id,
        device_id,
        change,
    });
}

/// Who decides about a phone.
#[derive(Clone, Copy)]
pub(super) enum By<'a> {
    /// A phone of the same client.
    Phone(&'a Device),
    /// The site's backend.
    Site,
}

impl By<'_> {
    fn note(self) -> String {
        match self {
            Self::Phone(device) => format!("by device {}", device.id),
            Self::Site => "by the site".to_owned(),
        }
    }
}

/// What is decided about a phone.
#[derive(Clone, Copy)]
pub(super) enum Decision {
    /// It is the client's own.
    Confirm,
    /// It is theirs no longer.
    Unpair,
}

/// Decides about a phone of a client. `false` when they have no such phone.
pub(super) async fn decide(
    state: &State,
    site: &Site,
    client_id: Uuid,
    device_id: Uuid,
    decision: Decision,
    by: By<'_>,
) -> Result<bool, DbErr> {
    let now = state.now();
    let transaction = db::begin(&state.db).await?;
    let (is_there, action, change) = match decision {
        Decision::Confirm => (
            store::confirm(&transaction, site.id, client_id, device_id, now).await?,
            Action::DeviceConfirmed,
            PhoneChange::Confirmed,
        ),
        Decision::Unpair => (
            store::revoke(&transaction, site.id, client_id, device_id, now).await?,
            Action::DeviceRevoked,
            PhoneChange::Removed,
        ),
    };
    if !is_there {
        return Ok(false);
    }
    if matches!(decision, Decision::Unpair) {
        Message::new(site.id, Topic::DeviceUnpaired, client_id)
            .device(Some(device_id))
            .enqueue(&transaction, now)
            .await?;
    }
    Entry::new(site.id, action)
        .client(client_id)
        .device(device_id)
        .detail(by.note())
        .record(&transaction, &state.keys, now)
        .await?;
    transaction.commit().await?;
    tell(state, site, client_id, device_id, change);
    Ok(true)
}
