//! What the frames of one answer show, as a few numbers that are weighed together.
//!
//! All are relative to the person's own look straight ahead, and each grows with how like a living person's it is.
//! They are cut off where more would say nothing: a mouth opened twice as wide as needed does not make up for a head
//! that did not turn.

use itertools::Itertools as _;
use serde::Serialize;

use sight::Action;
use sight::Pose;
use sight::progress;

/// How many signs there are.
pub const SIGNS: usize = 5;
/// What they are called, in their order.
pub const SIGN_NAMES: [&str; SIGNS] = ["least done", "done", "skin", "form", "identity"];

/// By so much, in ways of a step, another order may fit better: people do several things at once, but each most when it
/// is asked for.
const SLACK: f32 = 0.1;

/// What one frame shows beside the look straight ahead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// Number of the frame's step.
    pub step: usize,
    pub pose: Pose,
    /// Distance of its template from the straight frame's, over the distance at which two photos are one person
    /// in 999 of 1,000 cases; `None` where nobody compared them.
    pub distance: Option<f32>,
}

/// What the frames of one step show.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepEvidence {
    /// How far each thing that was asked was done in this step, in the order asked; see [`progress()`].
    pub ways: Vec<f32>,
    /// Breadth of the face over that of the straight frame, as the logarithm of what its turn does not explain.
    pub form: f32,
    /// How like the skin is to the straight frame's; how that is told: `texture.rs`.
    pub likeness: f32,
    /// The largest distance from the straight frame's template, over the threshold of 1/1,000.
    pub distance: f32,
}

/// What the frames of one answer show.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// The steps after the look straight ahead.
    pub steps: Vec<StepEvidence>,
    /// The most that the frames of the first step differ from each other, as their distances do.
    pub straight: f32,
    /// Whether the answer is refused however these numbers are weighed: times, copies, a missing frame, another order, a
    /// screen.
    pub barred: bool,
}

impl Evidence {
    /// How far what a step asks for was done in it.
    pub(crate) fn way(&self, step: usize) -> f32 {
        self.done_in(step, step)
    }

    /// How far a thing was done in a step, both by their numbers.
    fn done_in(&self, step: usize, asked: usize) -> f32 {
        let ways = self.steps.get(step).map(|step| &step.ways);
        ways.and_then(|ways| ways.get(asked))
            .map_or(0.0, |way| cut(*way))
    }

    /// Whether all that was asked was done, but clearly in another order.
    pub(crate) fn is_of_another_order(&self) -> bool {
        let asked: Vec<usize> = (0..self.steps.len()).collect();
        let fits_better = |other: Vec<usize>| {
            let moved = || asked.iter().filter(|step| other[**step] != **step);
            let gain = moved().map(|step| self.done_in(*step, other[*step]) - self.way(*step));
            gain.sum::<f32>() > SLACK * moved().count() as f32
        };
        let orders = asked.iter().copied().permutations(asked.len());
        orders.into_iter().any(fits_better)
    }

    /// The signs, in the order of [`SIGN_NAMES`], each scaled so that 1 is a clear step.
    pub fn signs(&self) -> [f32; SIGNS] {
        let most =
            |value: fn(&StepEvidence) -> f32| self.steps.iter().map(value).fold(f32::MIN, f32::max);
        let ways = || (0..self.steps.len()).map(|step| self.way(step));
        let done = ways().sum::<f32>() / self.steps.len().max(1) as f32;
        let skin = ((1.0 - most(|step| step.likeness)).max(1e-4) / 0.008).ln();
        [
            5.0 * (ways().fold(f32::MAX, f32::min) - 0.7).min(0.0),
            5.0 * (done - 0.85),
            2.0 * skin.clamp(-1.5, 0.5),
            -20.0 * (most(|step| step.form.abs()) - 0.08).clamp(0.0, 0.2),
            -20.0 * (most(|step| step.distance).max(self.straight) - 0.95).clamp(0.0, 0.3),
        ]
    }
}

/// From -0.5 to 1 an action's way is told apart; beyond, it was done, or not.
fn cut(way: f32) -> f32 {
    way.clamp(-0.5, 1.0)
}

/// The evidence of one of the steps after the first, in whose best frame the skin is so like the straight frame's; `None`
/// where it has no frame.
pub(crate) fn of_step(
    number: usize,
    steps: &[Action],
    usual: &Pose,
    moments: &[Moment],
    likeness: f32,
) -> Option<StepEvidence> {
    let action = *steps.get(number)?;
    let way = |action: Action, m: &Moment| progress(action, usual, &m.pose);
    let own = || moments.iter().filter(|m| m.step == number);
    // What nobody compared may speak against an answer, but not for it.
    let compared = own().filter(|m| m.distance.is_some());
    let best = compared.max_by(|a, b| way(action, a).total_cmp(&way(action, b)))?;
    let furthest = |action| own().map(|m| way(action, m)).fold(f32::MIN, f32::max);
    let shown = |(other, asked): (usize, &Action)| {
        if other == number {
            way(action, best)
        } else {
            furthest(*asked)
        }
    };
    let turned = (best.pose.yaw - usual.yaw).to_radians().cos().max(0.1);
    let breadth = best.pose.breadth / usual.breadth.max(f32::MIN_POSITIVE);
    Some(StepEvidence {
        ways: (1..).zip(&steps[1..]).map(shown).collect(),
        form: (breadth / turned).max(f32::MIN_POSITIVE).ln(),
        likeness,
        distance: own().filter_map(|m| m.distance).fold(0.0, f32::max),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_nobody_compared_speaks_only_against() {
        let usual = Pose {
            yaw: 0.0,
            pitch: 0.0,
            eyes: 0.3,
            lids: 0.1,
            mouth: 0.05,
            size: 100.0,
            breadth: 0.9,
        };
        let moment = |step, yaw, distance| Moment {
            step,
            pose: Pose { yaw, ..usual },
            distance,
        };
        let asked = [Action::LookStraight, Action::TurnLeft, Action::TurnRight];
        let turned = |moments: &[Moment]| of_step(1, &asked, &usual, moments, 0.9);
        assert_eq!(turned(&[moment(1, 14.0, None)]), None);
        let step = turned(&[
            moment(1, 28.0, None),
            moment(1, 7.0, Some(0.4)),
            moment(1, -14.0, None),
            moment(2, 42.0, Some(0.4)),
        ]);
        let step = step.unwrap();
        assert_eq!((step.ways, step.distance), (vec![0.5, 1.0], 0.4));
    }
}
