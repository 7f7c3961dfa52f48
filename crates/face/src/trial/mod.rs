//! How well liveness works: attacks made from recordings, and honest answers cut from them, put to the
//! same judge as in service (ISO/IEC 30107-3).
//!
//! Every attack is an answer that passed through no camera but the one computed here, so the rates say what
//! the checks do against each species, not what a laboratory would find with prints and screens.

mod answers;
mod attacks;
mod stage;

use rand::{SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use serde::Serialize;

pub use attacks::Species;

use crate::liveness::Action;
use crate::{Asked, Engine, FaceEngine, Frame};
use answers::{Clip, Shot, honest, sent};
use attacks::{Loot, attack};

/// A recording of one person: photos as a camera took them, about ten a second.
#[derive(Debug, Clone)]
pub struct Recording {
    /// What the table calls it.
    pub name: String,
    /// JPEG or any other file the engine reads.
    pub frames: Vec<Vec<u8>>,
}

impl Recording {
    /// The frames of a stream of JPEG files, one after the other (Motion JPEG).
    pub fn of_mjpeg(name: &str, stream: &[u8]) -> Self {
        // Within a file the two bytes that end it do not occur.
        let mut frames = Vec::new();
        let mut start = 0;
        for at in 1..stream.len() {
            if stream[at - 1..=at] == [0xFF, 0xD9] {
                frames.push(stream[start..=at].to_vec());
                start = at + 1;
            }
        }
        Self {
            name: name.to_owned(),
            frames,
        }
    }
}

/// What became of the answers of one kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Outcome {
    /// Answers judged.
    pub answers: usize,
    /// Those that passed.
    pub passed: usize,
    /// Why the others did not, with how often.
    pub refused: std::collections::BTreeMap<String, usize>,
}

impl Outcome {
    /// The part that passed, 0 to 1: APCER for attacks, one less BPCER for honest answers.
    pub fn passed_rate(&self) -> f64 {
        if self.answers == 0 {
            return 0.0;
        }
        self.passed as f64 / self.answers as f64
    }

    fn count(&mut self, verdict: Result<(), String>) {
        self.answers += 1;
        match verdict {
            Ok(()) => self.passed += 1,
            Err(reason) => *self.refused.entry(reason).or_default() += 1,
        }
    }
}

/// The result of a trial.
#[derive(Debug, Clone, Serialize)]
pub struct Trial {
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
) -> Result<Trial, TrialError> {
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
        let verdict = judged(engine, asked, &sent(shots));
        done();
        verdict
    };
    let mut bona_fide = Vec::new();
    for clip in &clips {
        let mut outcome = Outcome::default();
        let mut challenges = clip.challenges();
        challenges.shuffle(&mut random);
        for order in challenges.iter().take(most) {
            let asked = [&[Action::LookStraight], order.as_slice()].concat();
            if let Some(shots) = honest(clip, &asked) {
                outcome.count(put(&asked, &shots));
            }
        }
        bona_fide.push((clip.name.clone(), outcome));
    }
    let mut attacks = Vec::new();
    for species in Species::ALL {
        let mut outcome = Outcome::default();
        for (i, victim) in clips.iter().enumerate() {
            for n in 0..most {
                let other = clips.get((i + 1 + n % (clips.len().max(2) - 1)) % clips.len());
                let loot = Loot {
                    victim,
                    other: other.filter(|clip| clip.name != victim.name),
                };
                if let Some((asked, shots)) = attack(species, &loot, &mut random) {
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
    Ok(Trial {
        bona_fide,
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
