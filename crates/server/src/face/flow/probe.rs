//! Photos of an answer, looked at and compared.

use ::face::{FmrLevel, Purpose, Template, liveness::Doubt};
use sea_orm::DbErr;
use uuid::Uuid;

use crate::{
    device::Device,
    face::{
        challenge::{Photo, Question},
        model::FaceError,
        references::gather,
        sealed::Owner,
        seen, store,
    },
    platform::{clock::Moment, secret, shares::Holder, state::State},
    site::Site,
};

/// What the photos of one answer gave.
pub struct Probe {
    pub(in crate::face) frames: Vec<Template>,
    /// What an enrolment keeps of them.
    pub(in crate::face) references: Vec<Template>,
    fused: Template,
    /// Whether they show a living person who did what was asked.
    pub liveness: Result<(), Doubt>,
}

/// An answer to a challenge in force.
pub struct Answer<'a> {
    /// The site that the phone is paired for.
    pub site: &'a Site,
    /// The phone, which says whose face it is.
    pub device: &'a Device,
    /// The nonce of the challenge that is answered.
    pub nonce: &'a str,
    /// When that was given out.
    pub asked_at: Option<Moment>,
    /// The photos, in the order in which they were taken.
    pub photos: Vec<Photo>,
    /// What becomes of them.
    pub purpose: Purpose,
}

/// Looks at all photos of an answer. Photos that were sent before, or are near copies of such, prove no life.
///
/// # Errors
/// When any of them cannot be used or does not fit the challenge, they show different people, or too
/// many wait already.
pub async fn probe(state: &State, answer: Answer<'_>) -> Result<Probe, FaceError> {
    let question = Question::of(answer.nonce)?;
    let asked_at = answer.asked_at.ok_or(FaceError::Challenge)?;
    let now = state.now();
    question.check_times(&answer.photos, (now - asked_at).num_milliseconds())?;
    let steps = question.steps(&answer.photos)?;
    let photos = answer.photos.into_iter();
    let photos = photos
        .zip(steps)
        .map(|(photo, step)| (photo.bytes, step, photo.frame.t_ms))
        .collect();
    let is_of_life = question.is_of_life();
    let holders = [
        Holder::Site(answer.site.id),
        Holder::Device(answer.device.id),
    ];
    let workers = &state.engine;
    let scan = workers
        .scan(photos, question, answer.purpose, &holders)
        .await?;
    let mut probe = Probe::of(state, scan.templates, &scan.more, scan.liveness)?;
    if is_of_life {
        let owner = Owner {
            site_id: answer.site.id,
            client_id: answer.device.client_id,
        };
        let hash = secret::hash(answer.nonce);
        let (db, keys) = (&state.db, &state.keys);
        let is_new = seen::remember(db, keys, owner, hash, &scan.fingerprints, now).await?;
        // Where there is a doubt already, an honest person is told what to do differently.
        if !is_new && probe.liveness.is_ok() {
            probe.liveness = Err(Doubt::Replayed);
        }
    }
    Ok(probe)
}

impl Probe {
    pub(super) fn of(
        state: &State,
        frames: Vec<Template>,
        more: &[Template],
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
        let references = gather(&frames, more, state.engine.pack())?;
        let fused = Template::fuse(&frames)?;
        Ok(Self {
            frames,
            references,
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
