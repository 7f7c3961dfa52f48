//! Enrolling a face and comparing with it.

mod ask;
mod enrol;
mod probe;

pub(super) use self::{
    ask::ask,
    enrol::{Enrolling, enrol, enrol_by_backend, publish_refusal},
};
pub use self::{
    ask::{challenge, challenge_given},
    probe::{Answer, Probe, is_enrolled, matches, probe},
};
