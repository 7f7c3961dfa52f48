//! Puts answers to the judge and counts what becomes of them.

use face::liveness::Action;
use face::{Asked, Engine, FaceEngine, Frame};
use rand::{SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use serde::Serialize;

use super::bona_fide::{Clip, Shot, bona_fide, files};
use super::outcome::Outcome;
use super::recording::Recording;
use super::species::{Material, Species, attack};

/// The result of an attack trial.
#[derive(Debug, Clone, Serialize)]
pub struct AttackTrial {
    /// Honest answers, by recording.
    pub bona_fide: Vec<(String, Outcome)>,
    /// Attacks, by species' title.
    pub attacks: Vec<(&'static str, Outcome)>,
    /// What the persons in the recordings do, by recording.
    pub actions: Vec<(String, Vec<&'static str>)>,
}

/// What stopped a trial.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{recording}: {reason}")]
pub struct TrialError {
    recording: String,
    reason: String,
}

/// Puts honest answers and attacks to the engine: up to `most` of each kind for each recording. The same
/// `seed` gives the same trial. `done` is called after each answer.
///
/// # Errors
/// [`TrialError`] for a recording with a frame in which no face is found, and for an engine whose pack has no
/// mesh.
pub fn run(
    engine: &Engine,
    recordings: &[Recording],
    most: usize,
    seed: u64,
    mut done: impl FnMut(),
) -> Result<AttackTrial, TrialError> {
    let clips = recordings
        .iter()
        .map(|r| {
            Clip::of(engine, &r.name, &r.frames).map_err(|e| TrialError {
                recording: r.name.clone(),
                reason: e.to_string(),
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mut random = StdRng::seed_from_u64(seed);
    let mut put = |asked: &[Action], shots: &[Shot]| {
        let verdict = judged(engine, asked, &files(shots));
        done();
        verdict
    };
    let mut honest = Vec::new();
    for clip in &clips {
        let mut outcome = Outcome::default();
        let mut challenges = clip.challenges();
        challenges.shuffle(&mut random);
        for order in challenges.iter().take(most) {
            let asked = [&[Action::LookStraight], order.as_slice()].concat();
            if let Some(shots) = bona_fide(clip, &asked) {
                outcome.count(put(&asked, &shots));
            }
        }
        honest.push((clip.name.clone(), outcome));
    }
    let mut attacks = Vec::new();
    for species in Species::ALL {
        let mut outcome = Outcome::default();
        for (i, victim) in clips.iter().enumerate() {
            for n in 0..most {
                let other = clips.get((i + 1 + n % (clips.len().max(2) - 1)) % clips.len());
                let material = Material {
                    victim,
                    other: other.filter(|clip| clip.name != victim.name),
                };
                if let Some((asked, shots)) = attack(species, &material, &mut random) {
                    outcome.count(put(&asked, &shots));
                }
            }
        }
        attacks.push((species.title(), outcome));
    }
    let actions = clips
        .iter()
        .map(|c| {
            (
                c.name.clone(),
                c.done.iter().map(|(a, _)| a.as_str()).collect(),
            )
        })
        .collect();
    Ok(AttackTrial {
        bona_fide: honest,
        attacks,
        actions,
    })
}

/// What the engine says of an answer; `Err` names the reason.
fn judged(engine: &Engine, asked: &[Action], sent: &[(Vec<u8>, usize, i64)]) -> Result<(), String> {
    let frames: Vec<Frame<'_>> = sent
        .iter()
        .map(|(photo, step, at_ms)| Frame {
            photo,
            step: *step,
            at_ms: *at_ms,
        })
        .collect();
    let scan = engine
        .scan(&frames, Asked::Actions(asked))
        .map_err(|e| e.to_string())?;
    scan.liveness.map_err(|doubt| doubt.to_string())
}
