//! How well liveness works: attacks made from recordings, and honest answers cut from them, put to the
//! same judge as in service (ISO/IEC 30107-3).
//!
//! Every attack is an answer that passed through no camera but the one computed here, so the rates say what
//! the checks do against each species, not what a laboratory would find with prints and screens.

mod answer;
mod bona_fide;
mod cross_validation;
mod fit;
mod mask;
mod mesh_warp;
mod outcome;
mod recording;
mod replayed;
mod simulated_camera;
mod species;
mod trial;

pub use answer::Answer;
pub use outcome::Outcome;
pub use recording::{Recording, RecordingError, recordings};
pub use species::Species;
pub use trial::{AttackTrial, LeftOut, Performance, TrialError, run};
