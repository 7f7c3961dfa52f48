//! What the frames of one answer show, as a few numbers that are weighed together.
//!
//! All are relative to the person's own look straight ahead, and each grows with how like a living person's it is.
//! They are cut off where more would say nothing: a mouth opened twice as wide as needed does not make up for a head
//! that did not turn.

use serde::Serialize;

use super::action::Action;
use super::pose::Pose;
use super::progress::progress;

/// How many signs there are.
pub const SIGNS: usize = 6;
/// What they are called, in their order.
pub const SIGN_NAMES: [&str; SIGNS] = [
    "least done",
    "done",
    "in its step",
    "skin",
    "form",
    "identity",
];

/// What one frame shows beside the look straight ahead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// Number of the frame's step.
    pub step: usize,
    pub pose: Pose,
    /// See [`Texture::likeness`](super::texture::Texture::likeness).
    pub likeness: f32,
    /// Distance of its template from the straight frame's, over the distance at which two photos are one person
    /// in 999 of 1,000 cases; `None` where nobody compared them.
    pub distance: Option<f32>,
}

/// What the frames of one step show.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct StepEvidence {
    /// How far it was done; see [`progress`].
    pub way: f32,
    /// How far it was done in any other step but the first.
    pub elsewhere: f32,
    /// Breadth of the face over that of the straight frame, as the logarithm of what its turn does not explain.
    pub form: f32,
    /// How like the skin is to the straight frame's.
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
    /// Whether the answer is refused whatever these numbers say: times, copies, a missing frame, a screen.
    pub barred: bool,
}

impl Evidence {
    /// The signs, in the order of [`SIGN_NAMES`], each scaled so that 1 is a clear step.
    pub fn signs(&self) -> [f32; SIGNS] {
        let each = |value: fn(&StepEvidence) -> f32| self.steps.iter().map(value);
        let least = |value| each(value).fold(f32::MAX, f32::min);
        let most = |value| each(value).fold(f32::MIN, f32::max);
        let done = each(|step| cut(step.way)).sum::<f32>() / self.steps.len().max(1) as f32;
        let skin = ((1.0 - most(|step| step.likeness)).max(1e-4) / 0.025).ln();
        [
            5.0 * (least(|step| cut(step.way)) - 0.7).min(0.1),
            5.0 * (done - 0.85),
            5.0 * least(|step| cut(step.way) - cut(step.elsewhere)).min(0.0),
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

/// The evidence of one step; `None` where it has no frame.
pub(crate) fn of_step(
    number: usize,
    action: Action,
    usual: &Pose,
    moments: &[Moment],
) -> Option<StepEvidence> {
    let way = |m: &&Moment| progress(action, usual, &m.pose);
    let own = || moments.iter().filter(|m| m.step == number);
    let best = own().max_by(|a, b| way(a).total_cmp(&way(b)))?;
    let turned = (best.pose.yaw - usual.yaw).to_radians().cos().max(0.1);
    let breadth = best.pose.breadth / usual.breadth.max(f32::MIN_POSITIVE);
    let others = moments.iter().filter(|m| m.step != number);
    Some(StepEvidence {
        way: way(&best),
        elsewhere: others.map(|m| way(&m)).fold(-0.5, f32::max),
        form: (breadth / turned).max(f32::MIN_POSITIVE).ln(),
        likeness: best.likeness,
        distance: own().filter_map(|m| m.distance).fold(0.0, f32::max),
    })
}
