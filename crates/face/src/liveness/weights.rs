//! How the signs of an answer are weighed.

use serde::Serialize;

use super::evidence::SIGNS;

/// What each sign counts. An answer whose weighed signs and bias sum to 0 or more is believed; the sum is the logarithm of
/// the odds that it is honest, were honest answers and attacks equally frequent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Weights {
    /// One weight a sign, never negative.
    pub signs: [f32; SIGNS],
    /// What is added to their sum.
    pub bias: f32,
}

impl Weights {
    /// The weights in force. Fitted by `axiam face liveness --leave-one-out` to honest answers and attacks made from
    /// recordings of six people; docs/liveness.md says which, and what the same fit does to people left out of it.
    pub const SHIPPED: Self = Self {
        signs: [0.79, 2.04, 1.56, 0.11, 1.32],
        bias: -0.1,
    };

    /// How credible the signs are.
    pub fn score(&self, signs: &[f32; SIGNS]) -> f32 {
        self.terms(signs).iter().sum::<f32>() + self.bias
    }

    /// What each sign adds to the score.
    pub(crate) fn terms(&self, signs: &[f32; SIGNS]) -> [f32; SIGNS] {
        std::array::from_fn(|i| self.signs[i] * signs[i])
    }
}
