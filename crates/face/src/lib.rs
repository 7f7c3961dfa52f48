//! Image bytes to faces, templates and comparison scores.
//!
//! A photo goes in as bytes, a [`Template`] comes out: a short vector that says whose face it is.
//! Two templates of one [pack] are compared by their distance; the pack says which distance
//! stands for which false match rate. Everything here is synchronous and knows neither network nor
//! database; a caller with an async runtime puts [`FaceEngine::template`] on a blocking thread.
//!
//! ```no_run
//! use face::{Engine, FaceEngine, FmrLevel};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::load(std::path::Path::new("models/build/default"))?;
//! let one = engine.template(&std::fs::read("one.jpg")?)?;
//! let two = engine.template(&std::fs::read("two.jpg")?)?;
//! let same = one.distance(&two)? <= engine.pack().threshold(FmrLevel::OneIn10000);
//! # let _ = same; Ok(()) }
//! ```

mod align;
mod detect;
mod embed;
mod engine;
mod error;
mod face_engine;
mod find;
mod fingerprint;
mod image;
mod landmarks;
pub mod liveness;
mod mesh;
mod net;
pub mod pack;
mod protect;
mod quality;
mod scan;
mod template;
mod timings;
mod tracker;

use sight::{geometry, points};

pub use engine::Engine;
pub use error::{PhotoError, PoorReason};
pub use face_engine::FaceEngine;
pub use fingerprint::Fingerprint;
pub use image::{Format as PhotoFormat, Limits, decode as decode_photo};
pub use pack::{FmrLevel, PackError, PackInfo, Thresholds};
pub use protect::{ProtectedTemplate, Protection, ProtectionId};
pub use scan::{Asked, Frame, Purpose, Scan};
pub use sight::Image;
pub use template::{Template, TemplateError};
pub use timings::{Timings, Work};
pub use tracker::{FaceTracker, TrackedFace};
