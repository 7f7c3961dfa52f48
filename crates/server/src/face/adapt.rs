//! Ageing: a scan that surely is the person's may take the place of an older adapted reference.

use ::face::ProtectedTemplate;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::{
    flow::Probe,
    model::FaceError,
    references::{MOST_ADAPTED, Source},
    sealed::Owner,
    store::{self, Enrolled, New, Seal, while_keys_change},
};
use crate::{
    audit::{Action, Entry},
    client::{self, Client},
    device::Device,
    platform::{
        clock::{Moment, seconds},
        db,
        state::State,
    },
    site::Site,
};

/// Takes a reference from the scan of a sign-on that was just verified, where the site allows it and
/// the scan is confident. A failure is logged and changes nothing for the person.
pub async fn adapt(
    state: &State,
    site: &Site,
    client: &Client,
    device: &Device,
    sign_on_id: Uuid,
    probe: &Probe,
) {
    // Someone who had to try has not been recognised with confidence.
    if !site.settings.adaptation || client.failures > 0 {
        return;
    }
    let taken = while_keys_change(|| Box::pin(take(state, site, device, sign_on_id, probe)));
    if let Err(error) = taken.await {
        tracing::warn!(%error, "a scan could not be taken as a reference");
    }
}

async fn take(
    state: &State,
    site: &Site,
    device: &Device,
    sign_on_id: Uuid,
    probe: &Probe,
) -> Result<(), FaceError> {
    let now = state.now();
    let owner = Owner {
        site_id: site.id,
        client_id: device.client_id,
    };
    let drawn = Seal::draw(state, owner).await?;
    let transaction = db::begin(&state.db).await?;
    client::hold(&transaction, owner.site_id, owner.client_id).await?;
    let pack = state.engine.pack();
    let Some(enrolled) = store::load(&transaction, &state.keys, owner, pack)
        .await?
        .enrolled
    else {
        return Ok(());
    };
    let every = seconds(state.settings.face.adapt_every);
    let newest = enrolled
        .references
        .adapted()
        .map(|one| one.created_at)
        .max();
    if newest.is_some_and(|newest| newest + every > now) {
        return Ok(());
    }
    let frames = enrolled.protect_all(&probe.frames)?;
    if !enrolled.references.may_adapt(&frames, pack)? {
        return Ok(());
    }
    let seal = Seal {
        transform: enrolled.transform.clone(),
        ..drawn
    };
    let photos = vec![ProtectedTemplate::fuse(&frames)?];
    put(
        &transaction,
        &seal,
        owner,
        &enrolled,
        device.id,
        photos,
        now,
    )
    .await?;
    Entry::new(site.id, Action::FaceAdapted)
        .client(owner.client_id)
        .device(device.id)
        .sign_on(sign_on_id)
        .record(&transaction, &state.keys, now)
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// Puts references beside the enrolled ones; the oldest adapted ones make room.
pub(super) async fn put(
    db: &impl ConnectionTrait,
    seal: &Seal,
    owner: Owner,
    enrolled: &Enrolled,
    device_id: Uuid,
    photos: Vec<ProtectedTemplate>,
    now: Moment,
) -> Result<(), FaceError> {
    let there = enrolled.references.adapted().count();
    let too_many = (there + photos.len()).saturating_sub(MOST_ADAPTED);
    for oldest in enrolled.references.adapted().take(too_many) {
        store::remove_one(db, owner, oldest.id).await?;
    }
    let new = photos
        .into_iter()
        .map(|template| New {
            source: Source::Adapted,
            device_id: Some(device_id),
            template,
        })
        .collect();
    store::add(db, seal, owner, new, now).await
}
