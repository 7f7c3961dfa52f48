//! How the answers of one kind fared.

use std::collections::BTreeMap;

use serde::Serialize;

/// What became of the answers of one kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Outcome {
    /// How many answers were judged.
    pub answers: usize,
    /// How many of them passed.
    pub passed: usize,
    /// Why the others did not, with how often.
    pub refused: BTreeMap<String, usize>,
}

impl Outcome {
    /// The part that passed, 0 to 1: APCER for attacks, one less BPCER for honest answers.
    pub fn passed_rate(&self) -> f64 {
        if self.answers == 0 {
            return 0.0;
        }
        self.passed as f64 / self.answers as f64
    }

    pub(super) fn count(&mut self, refused: Option<String>) {
        self.answers += 1;
        match refused {
            None => self.passed += 1,
            Some(reason) => *self.refused.entry(reason).or_default() += 1,
        }
    }
}
