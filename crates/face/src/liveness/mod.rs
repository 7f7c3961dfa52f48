//! Liveness: whether frames show a living person who does what was just asked, or a picture of one
//! (presentation-attack detection, ISO/IEC 30107).
//!
//! A [challenge](draw) names two or three [actions](Action) in a random order. The answer's frames are
//! compared with the one that looks straight ahead:
//!
//! | what | how | against |
//! | --- | --- | --- |
//! | each action is there, in its step | head pose, eyes and mouth from the face mesh | still photos, recordings of another challenge |
//! | turns have depth | residual of the best homography; narrowing against the turn | photos that are moved, rotated, bent |
//! | one person throughout | templates of the frames that stand for the steps | another person's head in one step |
//! | no frame twice, times rise | bytes and times | answers made of one photo |
//! | no screen | moiré, the screen's frame | recordings shown on a screen |
//!
//! The verdict is a [`Doubt`] or none. What a person did too little of comes with a [hint](Doubt::hint);
//! signs of an attack come without one, and no score leaves this module.

mod action;
mod depth;
pub(crate) mod passive;
pub(crate) mod pose;
mod verdict;

pub use action::{Action, NoAlternative, draw, orders};
pub(crate) use depth::depth;
pub use pose::Pose;
pub use verdict::{Doubt, progress};
pub(crate) use verdict::{Seen, Sent, Shown, Straight, judge, judge_alone};
