//! Faces: a client's enrolled template, sealed; never a photo.

mod flow;
pub mod http;
mod model;
mod store;

pub use flow::{Probe, is_enrolled, matches, probe};
pub use model::{Challenge, FaceError, Frame, Step};
