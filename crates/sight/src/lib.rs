//! What the server and the phone see alike: [pictures](Image), [small networks](layers), the [mesh] of a face, and how
//! far it does what was [asked](progress()).
//!
//! `face` builds the whole way from photos to templates on this. `guide` compiles it for browsers, so that the phone knows
//! what the server is going to see, by the same code. So there is nothing here that a browser cannot do: no files, no
//! clock, no threads, no other runtime for networks.

pub mod action;
pub mod geometry;
pub mod layers;
pub mod mesh;
pub mod picture;
pub mod place;
pub mod points;
pub mod pose;
pub mod progress;

pub use action::Action;
pub use picture::Image;
pub use pose::{Pose, Usual};
pub use progress::progress;

/// What failed inside, for the log: never the picture's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failed(pub String);
