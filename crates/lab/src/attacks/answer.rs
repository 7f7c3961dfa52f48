//! One answer of a trial, and what was found of it.

use face::liveness::{Evidence, SIGNS};
use serde::Serialize;

/// One answer that was put to the judge.
#[derive(Debug, Clone, Serialize)]
pub struct Answer {
    /// The recording that it was made of.
    pub recording: String,
    /// The other recording that was used, if one was.
    pub with: Option<String>,
    /// The species' title; none if the answer is honest.
    pub species: Option<&'static str>,
    /// What was asked.
    pub asked: Vec<&'static str>,
    /// Why it was refused, if it was.
    pub refused: Option<String>,
    /// Whether a frame is a copy of one that was seen before.
    pub copied: bool,
    /// What its frames show; none where they could not be looked at.
    pub evidence: Option<Evidence>,
}

impl Answer {
    /// Whether it would pass if this decided about what its frames show.
    pub(super) fn passes_by(&self, believed: impl Fn(&[f32; SIGNS]) -> bool) -> bool {
        let evidence = self.evidence.as_ref().filter(|e| !e.barred && !self.copied);
        evidence.is_some_and(|e| believed(&e.signs()))
    }
}
