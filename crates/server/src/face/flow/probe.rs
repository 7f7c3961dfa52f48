//! Photos of an answer, looked at and compared.

use ::face::{FmrLevel, Template, liveness::Doubt};
use sea_orm::DbErr;
use uuid::Uuid;

use crate::{
    face::{
        challenge::{Challenge, Photo, Question},
        model::FaceError,
        sealed::Owner,
        store,
    },
    platform::state::State,
    site::{Liveness, Site},
};

/// What the photos of one answer gave.
pub struct Probe {
    pub(in crate::face) frames: Vec<Template>,
    fused: Template,
    /// Whether they show a living person who did what was asked.
    pub liveness: Result<(), Doubt>,
}

/// A challenge for a phone of this site, and the hash to keep of its nonce. Words in `without` name what
/// the person cannot do.
///
/// # Errors
/// When those words leave no challenge, or the pack in use cannot tell a living person.
pub fn challenge(
    state: &State,
    site: &Site,
    without: &[String],
    expires_in: u32,
) -> Result<(Challenge, Vec<u8>), FaceError> {
    let liveness = site.settings.liveness;
    if liveness != Liveness::Off && !state.engine.pack().has_liveness() {
        return Err(FaceError::NoLiveness);
    }
    Challenge::draw(liveness, expires_in, without)
}

/// Looks at all photos of an answer to the challenge that `nonce` names, which must be in force.
///
/// # Errors
/// When any of them cannot be used or does not fit the challenge, they show different people, or too
/// many wait already.
pub async fn probe(state: &State, nonce: &str, photos: Vec<Photo>) -> Result<Probe, FaceError> {
    let question = Question::of(nonce)?;
    let steps = question.steps(&photos)?;
    let photos = photos
        .into_iter()
        .zip(steps)
        .map(|(photo, step)| (photo.bytes, step, photo.frame.t_ms))
        .collect();
    let scan = state.engine.scan(photos, question).await?;
    Probe::of(state, scan.templates, scan.liveness)
}

impl Probe {
    pub(super) fn of(
        state: &State,
        frames: Vec<Template>,
        liveness: Result<(), Doubt>,
    ) -> Result<Self, FaceError> {
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
        Ok(Self {
            frames,
            fused,
            liveness,
        })
    }
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
    let enrolled = store::load(&state.db, &state.keys, owner, pack)
        .await?
        .enrolled
        .ok_or(FaceError::NotEnrolled)?;
    let probe = enrolled.protect(&probe.fused)?;
    Ok(enrolled
        .references
        .accept(&probe, pack, site.settings.fmr)?)
}

/// Whether the client has a face to sign on with.
///
/// # Errors
/// When the database fails.
pub async fn is_enrolled(state: &State, client_id: Uuid) -> Result<bool, DbErr> {
    store::exists(&state.db, client_id, state.engine.pack()).await
}
