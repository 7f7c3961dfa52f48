//! Enrolling a face: whose it may be, and what becomes of the one that is there.

use ::face::{Purpose, liveness::Doubt};
use bytes::Bytes;
use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use super::probe::{Answer, Probe, probe};
use crate::{
    audit::{Action, Entry},
    client::{self, Client},
    device::{self, Device, Standing},
    face::{
        adapt,
        challenge::Photo,
        consent,
        model::FaceError,
        references::{MOST_ADAPTED, spread},
        sealed::Owner,
        store::{self, Enrolled, Outdated, Seal, Stored, while_keys_change},
    },
    platform::{
        clock::Moment,
        code::Code,
        db,
        events::{Event, Failing, PhoneChange},
        secret,
        shares::Holder,
        state::State,
    },
    site::Site,
    webhook::{Message, Topic},
};

/// What a phone sent to enrol a face.
pub(in crate::face) struct Enrolling {
    pub(in crate::face) nonce: String,
    pub(in crate::face) consent_version: Option<String>,
    pub(in crate::face) photos: Vec<Photo>,
}

/// Enrols the face of the person who holds a paired phone; see [`Right`] for what may become of a
/// face that is there.
pub(in crate::face) async fn enrol(
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
    let client = client::find(&state.db, site, device.client_id).await?;
    device::pass(device, &client, now)?;
    let answer = Answer {
        site,
        device,
        nonce: &sent.nonce,
        asked_at: device.challenge_at,
        photos: sent.photos,
        purpose: Purpose::Enrolment,
    };
    let probe = probe(state, answer).await?;
    if let Err(doubt) = probe.liveness {
        return doubtful(state, site, device, nonce, doubt).await;
    }
    let enrolment = Enrolment {
        site,
        device,
        nonce,
        agreed,
        probe,
    };
    while_keys_change(|| Box::pin(settle(state, &enrolment, now))).await
}

/// Photos that show a living person, and what the phone sent with them.
struct Enrolment<'a> {
    site: &'a Site,
    device: &'a Device,
    /// SHA-256 of the challenge's nonce.
    nonce: Vec<u8>,
    agreed: bool,
    probe: Probe,
}

/// Decides, and keeps the face, all of it or nothing.
async fn settle(state: &State, enrolment: &Enrolment<'_>, now: Moment) -> Result<(), FaceError> {
    let Enrolment {
        site,
        device,
        nonce,
        agreed,
        probe,
    } = enrolment;
    let owner = Owner {
        site_id: site.id,
        client_id: device.client_id,
    };
    let seal = Seal::draw(state, owner).await?;

    let transaction = db::begin(&state.db).await?;
    // Held to the end: the face that is compared with is the face that is replaced.
    client::hold(&transaction, site.id, device.client_id).await?;
    if !device::take_challenge(&transaction, device, nonce.clone()).await? {
        return Err(FaceError::Challenge);
    }
    let entry = |action| {
        Entry::new(site.id, action)
            .client(device.client_id)
            .device(device.id)
    };
    let stored = store::load(&transaction, &state.keys, owner, state.engine.pack()).await?;
    let standing = Standing::of(&transaction, device, now).await?;
    let Some(right) = Right::of(state, site, (device, standing), &stored, probe)? else {
        device::record_failure(&transaction, state, device, now).await?;
        entry(Action::EnrolmentFailed)
            .record(&transaction, &state.keys, now)
            .await?;
        transaction.commit().await?;
        publish_failure(state, site, device, Failing::Face);
        return Err(FaceError::Mismatch);
    };
    keep(&transaction, right, seal, owner, device, probe, now).await?;
    device::used_right_to_replace(&transaction, device).await?;
    device::note_match(&transaction, device, now).await?;
    client::forgive_failures(&transaction, site.id, device.client_id).await?;
    if *agreed {
        record_consent(state, &transaction, device, now).await?;
    }
    Message::new(site.id, Topic::FaceEnrolled, device.client_id)
        .device(Some(device.id))
        .enqueue(&transaction, now)
        .await?;
    entry(Action::FaceEnrolled)
        .detail(detail(&stored.outdated))
        .record(&transaction, &state.keys, now)
        .await?;
    transaction.commit().await?;
    publish(state, site, device.client_id, device.flow_type.as_str());
    device::tell(
        state,
        site,
        device.client_id,
        device.id,
        PhoneChange::Enrolled,
    );
    Ok(())
}

/// Records that the person agreed to the text in force.
async fn record_consent(
    state: &State,
    transaction: &DatabaseTransaction,
    device: &Device,
    now: Moment,
) -> Result<(), FaceError> {
    let consent = &state.settings.enrolment;
    let (version, text) = (&consent.consent_version, &consent.consent_text);
    consent::record(transaction, device, version, text, now).await?;
    Entry::new(device.site_id, Action::ConsentGiven)
        .client(device.client_id)
        .device(device.id)
        .record(transaction, &state.keys, now)
        .await?;
    Ok(())
}

/// Puts the probe's references in the place of those that are there, or beside them.
async fn keep(
    transaction: &DatabaseTransaction,
    right: Right<'_>,
    seal: Seal,
    owner: Owner,
    device: &Device,
    probe: &Probe,
    now: Moment,
) -> Result<(), FaceError> {
    match right {
        Right::Replace => {
            let (by, photos) = (Some(device.id), &probe.references);
            store::replace(transaction, &seal, owner, by, photos, now).await
        }
        Right::Join(enrolled) => {
            let photos = enrolled.protect_all(&spread(&probe.frames, MOST_ADAPTED)?)?;
            let seal = Seal {
                transform: enrolled.transform.clone(),
                ..seal
            };
            adapt::put(transaction, &seal, owner, enrolled, device.id, photos, now).await
        }
    }
}

/// Ends an enrolment whose photos may not show a living person. It uses the challenge up and counts as a
/// failure, as at a sign-on: else enrolling would be where to practise.
async fn doubtful(
    state: &State,
    site: &Site,
    device: &Device,
    nonce: Vec<u8>,
    doubt: Doubt,
) -> Result<(), FaceError> {
    let now = state.now();
    let transaction = db::begin(&state.db).await?;
    if !device::take_challenge(&transaction, device, nonce).await? {
        return Err(FaceError::Challenge);
    }
    device::record_failure(&transaction, state, device, now).await?;
    Entry::new(site.id, Action::EnrolmentFailed)
        .client(device.client_id)
        .device(device.id)
        .detail(doubt.to_string())
        .record(&transaction, &state.keys, now)
        .await?;
    transaction.commit().await?;
    publish_failure(state, site, device, Failing::Liveness);
    Err(FaceError::Alive(doubt))
}

fn publish_failure(state: &State, site: &Site, device: &Device, failure: Failing) {
    let flow_type = device.flow_type.as_str();
    publish_refusal(state, site, device.client_id, flow_type, failure.into());
}

/// Tells pages that a face was not enrolled.
pub(in crate::face) fn publish_refusal(
    state: &State,
    site: &Site,
    client_id: Uuid,
    flow_type: &str,
    code: Code,
) {
    state.events.publish(&Event::EnrolmentFailed {
        at: site.for_events(),
        client_id,
        flow_type: flow_type.to_owned(),
        code,
    });
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

/// What a phone's photos may do with the face that is there.
enum Right<'a> {
    /// There is none, or this phone may put another in its place.
    Replace,
    /// They are the same person's: they stand beside those that were enrolled.
    Join(&'a Enrolled),
}

impl<'a> Right<'a> {
    /// A phone replaces a face only where the site asked it to enrol anew after that face came, or,
    /// where the pack can compare with nothing that is there, if it is the phone that enrolled it. One that
    /// waits to be confirmed replaces none.
    /// `None`: the face is another person's.
    fn of(
        state: &State,
        site: &Site,
        (device, standing): (&Device, Standing),
        stored: &'a Stored,
        probe: &Probe,
    ) -> Result<Option<Self>, FaceError> {
        let Some(enrolled) = &stored.enrolled else {
            let may = stored.outdated.is_empty() || standing != Standing::Waiting;
            return if may && may_succeed(site, device, &stored.outdated) {
                Ok(Some(Self::Replace))
            } else {
                Err(FaceError::Outdated)
            };
        };
        let since = enrolled.references.enrolled_at();
        let asked = device.may_replace_face && standing != Standing::Waiting;
        if asked && since.is_none_or(|since| since < device.created_at) {
            return Ok(Some(Self::Replace));
        }
        let frames = enrolled.protect_all(&probe.frames)?;
        let (pack, level) = (state.engine.pack(), site.settings.fmr);
        let same = enrolled.references.may_join(&frames, pack, level)?;
        Ok(same.then_some(Self::Join(enrolled)))
    }
}

/// Whether a phone may enrol where only faces of other packs are (or none).
fn may_succeed(site: &Site, device: &Device, outdated: &[Outdated]) -> bool {
    let asked_since = device.may_replace_face;
    let its_own = site.settings.reenrol_by_phone;
    outdated.iter().all(|older| {
        asked_since && older.created_at < device.created_at
            || its_own && older.device_id == Some(device.id)
    })
}

/// What the record says besides of an enrolment: which pack's face it took the place of.
fn detail(outdated: &[Outdated]) -> String {
    outdated
        .first()
        .map(|older| format!("after a face of pack {}", older.pack))
        .unwrap_or_default()
}

/// Enrols a face that the site's backend vouches for.
pub(in crate::face) async fn enrol_by_backend(
    state: &State,
    site: &Site,
    client: &Client,
    photo: Bytes,
) -> Result<(), FaceError> {
    let now = state.now();
    // The backend vouches for the photo, so nobody is asked to move.
    let template = state
        .engine
        .template(photo, &[Holder::Site(site.id)])
        .await?;
    let probe = Probe::of(state, vec![template], &[], Ok(()))?;
    while_keys_change(|| Box::pin(settle_by_backend(state, site, client, &probe, now))).await
}

async fn settle_by_backend(
    state: &State,
    site: &Site,
    client: &Client,
    probe: &Probe,
    now: Moment,
) -> Result<(), FaceError> {
    let owner = Owner {
        site_id: site.id,
        client_id: client.id,
    };
    let seal = Seal::draw(state, owner).await?;
    let transaction = db::begin(&state.db).await?;
    client::hold(&transaction, site.id, client.id).await?;
    if !site.settings.backend_replaces_face {
        let stored = store::load(&transaction, &state.keys, owner, state.engine.pack()).await?;
        if stored.enrolled.is_some() || !stored.outdated.is_empty() {
            return Err(FaceError::Kept);
        }
    }
    store::replace(&transaction, &seal, owner, None, &probe.frames, now).await?;
    Message::new(site.id, Topic::FaceEnrolled, client.id)
        .enqueue(&transaction, now)
        .await?;
    Entry::new(site.id, Action::FaceEnrolled)
        .client(client.id)
        .record(&transaction, &state.keys, now)
        .await?;
    transaction.commit().await?;
    publish(state, site, client.id, "signup");
    Ok(())
}

fn publish(state: &State, site: &Site, client_id: Uuid, flow_type: &str) {
    state.events.publish(&Event::Uploaded {
        at: site.for_events(),
        client_id,
        flow_type: flow_type.to_owned(),
    });
}
