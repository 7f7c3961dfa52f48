//! Liveness: whether frames show a living person who does what was just asked, or a picture of one
//! (presentation-attack detection, ISO/IEC 30107).
//!
//! A [challenge](draw) names two or three [actions](Action) in a random order. The answer's frames are
//! compared with the one that looks straight ahead, and what all of them show is weighed together ([`Evidence`]):
//!
//! | sign | how | against |
//! | --- | --- | --- |
//! | each action is done | head pose, eyes and mouth from the face mesh | still photos |
//! | the face keeps its form | its breadth against its height, but for what its turn explains | photos that are turned, tilted, bent |
//! | the skin changes | correlation of small places, their movement undone | all that is made of one photo |
//! | one person throughout | templates of the frames | another person's head in one step |
//!
//! Some things are refused whatever the rest says: a frame sent twice, times that do not rise, what was asked done in another
//! order (recordings of another challenge), a screen's moiré or frame.
//!
//! The verdict is a [`Doubt`] or none. What a person did too little of comes with a [hint](Doubt::hint);
//! signs of an attack come without one, and no score reaches who is judged.

mod action;
mod evidence;
pub(crate) mod passive;
mod registration;
mod texture;
mod verdict;
mod weights;

pub use action::{NoAlternative, draw, orders};
pub(crate) use evidence::Moment;
pub use evidence::{Evidence, SIGN_NAMES, SIGNS, StepEvidence};
pub use sight::{Action, Pose, Usual, progress};
pub(crate) use texture::Texture;
pub use verdict::Doubt;
pub(crate) use verdict::{Answer, Sent, Shown, Straight, judge, judge_alone};
pub use weights::Weights;
