//! Puts answers to the judge and counts what becomes of them.

use std::collections::BTreeMap;

use face::liveness::{Doubt, Evidence, Weights};
use face::{Asked, Engine, FaceEngine, Frame, Purpose};
use rand::{SeedableRng as _, rngs::StdRng};
use serde::Serialize;

use super::answer::Answer;
use super::bona_fide::{Clip, Response, Shot, bona_fide, files};
use super::cross_validation::{fitted_to_all, leave_one_out};
use super::outcome::Outcome;
use super::recording::Recording;
use super::replayed::recorded;
use super::species::{Material, Species, attack};

/// What the person in a recording does.
#[derive(Debug, Clone, Serialize)]
pub struct Performance {
    /// The recording.
    pub recording: String,
    /// How far they go at most, by action: from 1 on it counts as done.
    pub extent: BTreeMap<&'static str, f32>,
    /// How many challenges that answers.
    pub challenges: usize,
    /// Number of the frame that looks straightest.
    pub straight: usize,
    /// Numbers of the frames that show an action at its height, of the actions that are done.
    pub shown: BTreeMap<&'static str, Vec<usize>>,
}

/// The result of an attack trial.
#[derive(Debug, Clone, Serialize)]
pub struct AttackTrial {
    /// Honest answers, by recording.
    pub bona_fide: Vec<(String, Outcome)>,
    /// Attacks, by species' title.
    pub attacks: Vec<(&'static str, Outcome)>,
    /// What the persons in the recordings do.
    pub performances: Vec<Performance>,
    /// Every answer.
    pub answers: Vec<Answer>,
    /// What the same answers come to when nobody is judged by what was fitted to them.
    pub left_out: Option<LeftOut>,
}

/// Answers judged by weights that were fitted without the person in them.
#[derive(Debug, Clone, Serialize)]
pub struct LeftOut {
    /// Whether each answer passes.
    pub passes: Vec<bool>,
    /// The weights that a fit to all answers gives: what is shipped, if it was made on these recordings.
    pub fitted: Weights,
}

impl AttackTrial {
    fn of(performances: Vec<Performance>, answers: Vec<Answer>) -> Self {
        let mut trial = Self {
            bona_fide: Vec::new(),
            attacks: Vec::new(),
            performances,
            answers,
            left_out: None,
        };
        let names = trial.performances.iter().map(|p| p.recording.clone());
        trial.bona_fide = names
            .map(|name| {
                let outcome = trial.outcome(|a| a.species.is_none() && a.recording == name);
                (name, outcome)
            })
            .collect();
        trial.attacks = Species::ALL
            .map(Species::title)
            .map(|title| (title, trial.outcome(|a| a.species == Some(title))))
            .to_vec();
        trial
    }

    /// All honest answers.
    pub fn honest(&self) -> Outcome {
        self.outcome(|answer| answer.species.is_none())
    }

    /// Judges every answer by weights fitted to the others' recordings alone.
    pub fn leave_one_out(&mut self) {
        self.left_out = Some(LeftOut {
            passes: leave_one_out(&self.answers),
            fitted: fitted_to_all(&self.answers),
        });
    }

    /// How many of the answers of one kind pass with their person left out; `None` if nobody was.
    pub fn passed_left_out(&self, of: impl Fn(&Answer) -> bool) -> Option<usize> {
        let passes = self.left_out.as_ref()?.passes.iter();
        let counted = self.answers.iter().zip(passes);
        Some(
            counted
                .filter(|(answer, passes)| **passes && of(answer))
                .count(),
        )
    }

    fn outcome(&self, of: impl Fn(&Answer) -> bool) -> Outcome {
        let mut outcome = Outcome::default();
        for answer in self.answers.iter().filter(|answer| of(answer)) {
            outcome.count(answer.refused.clone());
        }
        outcome
    }
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
    let mut answers = Vec::new();
    let mut put =
        |clip: &Clip, with: Option<&Clip>, species: Option<Species>, response: &Response| {
            let (refused, copied, evidence) = judged(engine, response);
            answers.push(Answer {
                recording: clip.name.clone(),
                with: with.map(|clip| clip.name.clone()),
                species: species.map(Species::title),
                asked: response
                    .asked
                    .iter()
                    .map(|action| action.as_str())
                    .collect(),
                refused,
                copied,
                evidence,
            });
            done();
        };
    for clip in &clips {
        for _ in 0..most {
            let honest = recorded(clip, &mut random).and_then(|asked| {
                let shots = bona_fide(clip, &asked, &mut random)?;
                let before = None;
                Some(Response {
                    asked,
                    shots,
                    before,
                })
            });
            if let Some(honest) = honest {
                put(clip, None, None, &honest);
            }
        }
    }
    for species in Species::ALL {
        for (i, victim) in clips.iter().enumerate() {
            for n in 0..most {
                let other = clips.get((i + 1 + n % (clips.len().max(2) - 1)) % clips.len());
                let material = Material {
                    victim,
                    other: other.filter(|clip| clip.name != victim.name),
                };
                if let Some(response) = attack(species, &material, &mut random) {
                    put(
                        victim,
                        material.other.filter(|_| species.takes_two()),
                        Some(species),
                        &response,
                    );
                }
            }
        }
    }
    let performances = clips.iter().map(performance).collect();
    Ok(AttackTrial::of(performances, answers))
}

fn performance(clip: &Clip) -> Performance {
    let extent = clip.extent.iter().map(|(a, far)| (a.as_str(), *far));
    let shown = clip.done.iter().map(|(a, at)| (a.as_str(), at.clone()));
    Performance {
        recording: clip.name.clone(),
        extent: extent.collect(),
        challenges: clip.challenges().len(),
        straight: clip.straight,
        shown: shown.collect(),
    }
}

/// Why the engine refuses an answer, if it does, and what the frames show. An answer that repeats what was seen before is
/// refused as the server does it.
fn judged(engine: &Engine, response: &Response) -> (Option<String>, bool, Option<Evidence>) {
    let scan = |shots: &[Shot]| {
        let sent = files(shots);
        let frames: Vec<Frame<'_>> = sent
            .iter()
            .map(|(photo, step, at_ms)| Frame {
                photo,
                step: *step,
                at_ms: *at_ms,
            })
            .collect();
        engine.scan(
            &frames,
            Asked::Actions(&response.asked),
            Purpose::Comparison,
        )
    };
    let seen = match &response.before {
        Some(shots) => scan(shots).map(|scan| scan.fingerprints),
        None => Ok(Vec::new()),
    };
    match (scan(&response.shots), seen) {
        (Ok(scan), Ok(seen)) => {
            let copied = scan
                .fingerprints
                .iter()
                .any(|new| seen.iter().any(|old| new.is_copy_of(old)));
            let verdict = match scan.liveness {
                Ok(()) if copied => Err(Doubt::Replayed),
                verdict => verdict,
            };
            (
                verdict.err().map(|doubt| doubt.to_string()),
                copied,
                scan.evidence,
            )
        }
        (Err(error), _) | (_, Err(error)) => (Some(error.to_string()), false, None),
    }
}
