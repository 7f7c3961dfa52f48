//! What the weights would do to people they were not fitted to: each person is left out in turn.

use std::collections::BTreeMap;

use face::liveness::Weights;

use super::answer::Answer;
use super::fit::{Lesson, fit};
use super::species::Species;

/// Says of each answer whether it passes when judged by weights fitted to answers in which nobody of its recording
/// appears.
pub(super) fn leave_one_out(answers: &[Answer]) -> Vec<bool> {
    let mut fitted: BTreeMap<&str, Weights> = BTreeMap::new();
    for answer in answers {
        fitted.entry(&answer.recording).or_insert_with_key(|name| {
            let others = |a: &&Answer| a.recording != *name && a.with.as_deref() != Some(name);
            fit(&lessons(answers.iter().filter(others)))
        });
    }
    let passes = |answer: &Answer| {
        let weights = fitted.get(answer.recording.as_str());
        answer.passes_by(|signs| weights.is_some_and(|w| w.score(signs) >= 0.0))
    };
    answers.iter().map(passes).collect()
}

/// The weights fitted to all answers.
pub(super) fn fitted_to_all(answers: &[Answer]) -> Weights {
    fit(&lessons(answers.iter()))
}

/// Honest answers and attacks count for one half each; within these, persons and species count alike. What
/// is refused before it is weighed teaches nothing, nor does what answers the very challenge with frames that were seen. An
/// earlier answer teaches, for whoever does not know its frames has to see that it shows something else.
fn lessons<'a>(answers: impl Iterator<Item = &'a Answer>) -> Vec<Lesson> {
    let usable: Vec<_> = answers
        .filter_map(|a| Some((a, a.evidence.as_ref().filter(|e| !e.barred)?)))
        .filter(|(a, _)| a.species != Some(Species::ChangedReplay.title()))
        .collect();
    let kind = |a: &'a Answer| a.species.unwrap_or(&a.recording);
    let mut kinds: BTreeMap<(bool, &str), f64> = BTreeMap::new();
    for (answer, _) in &usable {
        *kinds
            .entry((answer.species.is_none(), kind(answer)))
            .or_default() += 1.0;
    }
    let alike = |honest: bool| kinds.keys().filter(|(h, _)| *h == honest).count() as f64;
    let (honest, attacks) = (alike(true), alike(false));
    usable
        .iter()
        .map(|(answer, evidence)| {
            let is_honest = answer.species.is_none();
            let of = if is_honest { honest } else { attacks };
            let count = kinds
                .get(&(is_honest, kind(answer)))
                .copied()
                .unwrap_or(1.0);
            Lesson {
                signs: evidence.signs(),
                honest: is_honest,
                weight: 0.5 / of / count,
            }
        })
        .collect()
}
