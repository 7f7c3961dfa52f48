//! Enrolling a face and comparing with it.

mod enrol;
mod probe;

pub(super) use self::enrol::{Enrolling, enrol, enrol_by_backend};
pub use self::probe::{Probe, challenge, is_enrolled, matches, probe};
