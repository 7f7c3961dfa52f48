//! Enrolling a face and comparing with it.

use ::face::{FmrLevel, Template};
use bytes::Bytes;
use sea_orm::DbErr;
use uuid::Uuid;

use super::{
    model::FaceError,
    store::{self, Enrolled, Owner},
};
use crate::{
    audit::{Action, Entry},
    client::{self, Client},
    db,
    device::{self, Device},
    events::{Event, Failing},
    secret,
    site::Site,
    state::State,
};

/// What the photos of one answer gave.
pub struct Probe {
    frames: Vec<Template>,
    fused: Template,
}

/// Makes templates of all photos of an answer.
///
/// # Errors
/// When any of them cannot be used, they show different people, or too many wait already.
pub async fn probe(state: &State, photos: Vec<Bytes>) -> Result<Probe, FaceError> {
    let mut frames = Vec::with_capacity(photos.len());
    for photo in photos {
        frames.push(state.engine.template(photo).await?);
    }
    // Averaging two people's faces would make one that is near both.
    let widest = state.engine.pack().threshold(FmrLevel::OneIn1000);
    for (index, one) in frames.iter().enumerate() {
        for other in &frames[..index] {
            if one.distance(other)? > widest {
                return Err(FaceError::SeveralPeople);
            }
        }
    }
    let fused = Template::fuse(&frames)?;
    Ok(Probe { frames, fused })
}

/// Whether the probe is the client's enrolled face, at the false match rate the site asks for.
///
/// # Errors
/// [`FaceError::NotEnrolled`] when there is nothing to compare with.
pub async fn matches(
    state: &State,
    site: &Site,
    client_id: Uuid,
    probe: &Probe,
) -> Result<bool, FaceError> {
    let pack = state.engine.pack();
    let owner = Owner {
        site_id: site.id,
        client_id,
    };
    let reference = store::get(&state.db, &state.keys, owner, pack)
        .await?
        .ok_or(FaceError::NotEnrolled)?;
    is_match(state, site, &reference.template, &probe.fused)
}

fn is_match(
    state: &State,
    site: &Site,
    reference: &Template,
    probe: &Template,
) -> Result<bool, FaceError> {
    let distance = reference.distance(probe)?;
    Ok(distance <= state.engine.pack().threshold(site.settings.fmr))
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
/// by the same person's, unless the site asked this phone to enrol anew after that face came.
pub(super) async fn enrol(
    state: &State,
    site: &Site,
    device: &Device,
    sent: Enrolling,
) -> Result<(), FaceError> {
    let now = state.now();
    let agreed = check_consent(state, sent.consent_version.as_deref())?;
    let nonce = secret::hash(&sent.nonce);
    let current = device.challenge_until.is_some_and(|until| until > now);
    if !current || device.challenge_hash.as_ref() != Some(&nonce) {
        return Err(FaceError::Challenge);
    }
    client::find(&state.db, site, device.client_id)
        .await?
        .pass(now)?;
    let probe = probe(state, sent.photos).await?;

    let transaction = db::begin(&state.db).await?;
    // Held to the end: the face that is compared with is the face that is replaced.
    client::hold(&transaction, site.id, device.client_id).await?;
    if !device::take_challenge(&transaction, device, nonce, now).await? {
        return Err(FaceError::Challenge);
    }
    let owner = Owner {
        site_id: site.id,
        client_id: device.client_id,
    };
    let entry = |action| {
        Entry::new(site.id, action)
            .client(device.client_id)
            .device(device.id)
    };
    let older = store::get(&transaction, &state.keys, owner, state.engine.pack()).await?;
    if !may_take_place(state, site, device, older.as_ref(), &probe)? {
        let rules = &state.settings.lock;
        client::record_failure(&transaction, site.id, device.client_id, rules, now).await?;
        entry(Action::EnrolmentFailed)
            .record(&transaction, now)
            .await?;
        transaction.commit().await?;
        state.events.publish(&Event::EnrolmentFailed {
            at: site.place(),
            client_id: device.client_id,
            flow_type: device.flow_type.as_str().to_owned(),
            failure: Failing::Face,
        });
        return Err(FaceError::Mismatch);
    }
    if agreed {
        let consent = &state.settings.enrolment;
        let (version, text) = (&consent.consent_version, &consent.consent_text);
        store::record_consent(&transaction, device, version, text, now).await?;
        entry(Action::ConsentGiven)
            .record(&transaction, now)
            .await?;
    }
    let (keys, template) = (&state.keys, &probe.fused);
    store::put(&transaction, keys, owner, Some(device.id), template, now).await?;
    device::used_right_to_replace(&transaction, device).await?;
    entry(Action::FaceEnrolled)
        .record(&transaction, now)
        .await?;
    transaction.commit().await?;
    publish(state, site, device.client_id, device.flow_type.as_str());
    Ok(())
}

/// Whether the person agreed to the text in force; that they need not, where it is not required.
fn check_consent(state: &State, version: Option<&str>) -> Result<bool, FaceError> {
    let consent = &state.settings.enrolment;
    match version {
        Some(version) if version == consent.consent_version => Ok(true),
        None if !consent.consent_required => Ok(false),
        _ => Err(FaceError::Consent),
    }
}

/// Every single photo must match, not only their average: that could be moved step by step.
fn may_take_place(
    state: &State,
    site: &Site,
    device: &Device,
    older: Option<&Enrolled>,
    probe: &Probe,
) -> Result<bool, FaceError> {
    let Some(older) = older else { return Ok(true) };
    if device.may_replace_face && older.created_at < device.created_at {
        return Ok(true);
    }
    for frame in &probe.frames {
        if !is_match(state, site, &older.template, frame)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Enrols a face that the site's backend vouches for.
pub(super) async fn enrol_by_backend(
    state: &State,
    site: &Site,
    client: &Client,
    photo: Bytes,
) -> Result<(), FaceError> {
    let now = state.now();
    let probe = probe(state, vec![photo]).await?;
    let transaction = db::begin(&state.db).await?;
    let owner = Owner {
        site_id: site.id,
        client_id: client.id,
    };
    store::put(&transaction, &state.keys, owner, None, &probe.fused, now).await?;
    Entry::new(site.id, Action::FaceEnrolled)
        .client(client.id)
        .record(&transaction, now)
        .await?;
    transaction.commit().await?;
    publish(state, site, client.id, "signup");
    Ok(())
}

fn publish(state: &State, site: &Site, client_id: Uuid, flow_type: &str) {
    state.events.publish(&Event::Uploaded {
        at: site.place(),
        client_id,
        flow_type: flow_type.to_owned(),
    });
}
