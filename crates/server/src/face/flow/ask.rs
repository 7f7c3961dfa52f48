//! Challenges: drawn once a try, and given again unchanged until they are answered or over.

use uuid::Uuid;

use crate::{
    audit::{Action, Entry},
    client,
    device::{self, Device},
    face::{
        challenge::{Challenge, check_without},
        model::FaceError,
    },
    platform::{
        clock::{Moment, seconds},
        db,
        issued::Issued,
        state::State,
    },
    site::{Liveness, Site},
};

/// A new challenge for a phone of this site, and what to keep of it in the row `to`.
///
/// # Errors
/// When the pack in use cannot tell a living person.
pub fn challenge(
    state: &State,
    site: &Site,
    device: &Device,
    to: Uuid,
) -> Result<(Challenge, Issued), FaceError> {
    let liveness = site.settings.liveness;
    if liveness != Liveness::Off && !state.engine.pack().has_liveness() {
        return Err(FaceError::NoLiveness);
    }
    let life = state.settings.sign_on.challenge_lifetime;
    let without = check_without(&device.without.0)?;
    let challenge = Challenge::draw(liveness, life, &without)?;
    let now = state.now();
    let until = now + seconds(life);
    let issued = Issued::new(&state.keys, to, &challenge.nonce, now, until)?;
    Ok((challenge, issued))
}

/// The challenge in force of the row `to`, as it was given.
///
/// # Errors
/// When what is kept of it does not open.
pub fn challenge_given(
    state: &State,
    to: Uuid,
    sealed: Option<&[u8]>,
    until: Moment,
) -> Result<Challenge, FaceError> {
    let nonce = Issued::reveal(&state.keys, to, sealed.unwrap_or_default())?;
    let left = (until - state.now()).num_seconds().max(0);
    Challenge::given(nonce, u32::try_from(left).unwrap_or(0))
}

/// The challenge for enrolling a face with this phone. One that was let go by costs a failure, as a wrong
/// answer does.
pub(in crate::face) async fn ask(
    state: &State,
    site: &Site,
    device: &Device,
) -> Result<Challenge, FaceError> {
    let now = state.now();
    let client = client::find(&state.db, site, device.client_id).await?;
    device::pass(device, &client, now)?;
    if let (Some(hash), Some(until)) = (&device.challenge_hash, device.challenge_until) {
        if until > now {
            return challenge_given(state, device.id, device.challenge_sealed.as_deref(), until);
        }
        let transaction = db::begin(&state.db).await?;
        if device::take_challenge(&transaction, device, hash.clone()).await? {
            device::record_failure(&transaction, state, device, now).await?;
            entry(site, device, Action::EnrolmentFailed)
                .detail("the challenge was not answered in time")
                .record(&transaction, &state.keys, now)
                .await?;
        }
        transaction.commit().await?;
        let client = client::find(&state.db, site, device.client_id).await?;
        let device = device::reread(&state.db, device).await?;
        device::pass(&device.ok_or(FaceError::Challenge)?, &client, now)?;
    }
    let (challenge, issued) = challenge(state, site, device, device.id)?;
    let transaction = db::begin(&state.db).await?;
    if device::give_challenge(&transaction, device, issued).await? {
        entry(site, device, Action::ChallengeGiven)
            .detail(challenge.asked())
            .record(&transaction, &state.keys, now)
            .await?;
        transaction.commit().await?;
        return Ok(challenge);
    }
    transaction.rollback().await?;
    // Another request of this phone was faster: its challenge is the one.
    let device = device::reread(&state.db, device).await?;
    let device = device.ok_or(FaceError::Challenge)?;
    let until = device.challenge_until.ok_or(FaceError::Challenge)?;
    challenge_given(state, device.id, device.challenge_sealed.as_deref(), until)
}

fn entry(site: &Site, device: &Device, action: Action) -> Entry {
    Entry::new(site.id, action)
        .client(device.client_id)
        .device(device.id)
}
