//! Enrolling a face and comparing with it.

use ::face::{PhotoError, Template};
use bytes::Bytes;
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::{
    model::FaceError,
    store::{self, Owner},
};
use crate::{
    audit::{Action, Entry},
    client::Client,
    db,
    device::{self, Device},
    events::Event,
    secret,
    site::Site,
    state::State,
};

/// One template of all photos of an answer.
///
/// # Errors
/// When any of them cannot be used, or too many wait already.
pub async fn probe(state: &State, photos: Vec<Bytes>) -> Result<Template, FaceError> {
    let mut templates = Vec::with_capacity(photos.len());
    for photo in photos {
        templates.push(state.engine.template(photo).await?);
    }
    Template::fuse(&templates)
        .map_err(|error| FaceError::Photo(PhotoError::Internal(error.to_string())))
}

/// Whether the probe is the client's enrolled face, at the false match rate the site asks for.
///
/// # Errors
/// [`FaceError::NotEnrolled`] when there is nothing to compare with.
pub async fn matches(
    state: &State,
    site: &Site,
    client_id: Uuid,
    probe: &Template,
) -> Result<bool, FaceError> {
    let pack = state.engine.pack();
    let owner = Owner {
        site_id: site.id,
        client_id,
    };
    let reference = store::get(&state.db, &state.keys, owner, pack)
        .await?
        .ok_or(FaceError::NotEnrolled)?;
    let distance = reference
        .distance(probe)
        .map_err(|error| FaceError::Sealed(error.to_string()))?;
    Ok(distance <= pack.threshold(site.settings.fmr))
}

/// Whether the client has a face to sign on with.
///
/// # Errors
/// When the database fails.
pub async fn is_enrolled(state: &State, client_id: Uuid) -> Result<bool, DbErr> {
    store::exists(&state.db, client_id, state.engine.pack()).await
}

/// What a phone sent to enrol a face.
pub(super) struct Enrolling {
    pub(super) nonce: String,
    pub(super) consent_version: Option<String>,
    pub(super) photos: Vec<Bytes>,
}

/// Enrols the face of the person who holds a paired phone. A face that is there is replaced only
/// by the same person's, unless the site asked for a new enrolment on this very phone.
pub(super) async fn enrol(
    state: &State,
    site: &Site,
    device: &Device,
    sent: Enrolling,
) -> Result<(), FaceError> {
    let now = state.now();
    let consent = &state.settings.enrolment;
    let agreed = sent.consent_version.as_deref() == Some(consent.consent_version.as_str());
    if !agreed && (consent.consent_required || sent.consent_version.is_some()) {
        return Err(FaceError::Consent);
    }
    let nonce = secret::hash(&sent.nonce);
    let current = device.challenge_until.is_some_and(|until| until > now);
    if !current || device.challenge_hash.as_ref() != Some(&nonce) {
        return Err(FaceError::Challenge);
    }
    let template = probe(state, sent.photos).await?;
    if !device.may_replace_face {
        match matches(state, site, device.client_id, &template).await {
            Ok(false) => {
                device::take_challenge(&state.db, device, nonce, now).await?;
                return Err(FaceError::Mismatch);
            }
            Ok(true) | Err(FaceError::NotEnrolled) => {}
            Err(error) => return Err(error),
        }
    }
    let transaction = db::begin(&state.db).await?;
    if !device::take_challenge(&transaction, device, nonce, now).await? {
        return Err(FaceError::Challenge);
    }
    if agreed {
        let (version, text) = (&consent.consent_version, &consent.consent_text);
        store::record_consent(&transaction, device, version, text, now).await?;
        record(
            &transaction,
            state,
            device.client_id,
            site,
            Action::ConsentGiven,
            Some(device),
        )
        .await?;
    }
    let owner = Owner {
        site_id: site.id,
        client_id: device.client_id,
    };
    store::put(
        &transaction,
        &state.keys,
        owner,
        Some(device.id),
        &template,
        now,
    )
    .await?;
    device::used_right_to_replace(&transaction, device).await?;
    record(
        &transaction,
        state,
        device.client_id,
        site,
        Action::FaceEnrolled,
        Some(device),
    )
    .await?;
    transaction.commit().await?;
    publish(state, site, device.client_id, device.flow_type.as_str());
    Ok(())
}

/// Enrols a face that the site's backend vouches for.
pub(super) async fn enrol_by_backend(
    state: &State,
    site: &Site,
    client: &Client,
    photo: Bytes,
) -> Result<(), FaceError> {
    let template = probe(state, vec![photo]).await?;
    let transaction = db::begin(&state.db).await?;
    let owner = Owner {
        site_id: site.id,
        client_id: client.id,
    };
    store::put(
        &transaction,
        &state.keys,
        owner,
        None,
        &template,
        state.now(),
    )
    .await?;
    record(
        &transaction,
        state,
        client.id,
        site,
        Action::FaceEnrolled,
        None,
    )
    .await?;
    transaction.commit().await?;
    publish(state, site, client.id, "signup");
    Ok(())
}

async fn record(
    db: &impl ConnectionTrait,
    state: &State,
    client_id: Uuid,
    site: &Site,
    action: Action,
    device: Option<&Device>,
) -> Result<(), DbErr> {
    let mut entry = Entry::new(site.id, action).client(client_id);
    if let Some(device) = device {
        entry = entry.device(device.id);
    }
    entry.record(db, state.now()).await
}

fn publish(state: &State, site: &Site, client_id: Uuid, flow_type: &str) {
    state.events.publish(&Event::Uploaded {
        at: site.place(),
        client_id,
        flow_type: flow_type.to_owned(),
    });
}
