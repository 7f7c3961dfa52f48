//! What follows a layer, number by number.

use pulp::Simd;

/// `min(max(x, slope * x), most)`: nothing, a rectifier, a leaky or a bounded one, by its numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Activation {
    /// What negative numbers are multiplied with, at most 1.
    pub slope: f32,
    pub most: f32,
}

impl Activation {
    /// Leaves numbers as they are.
    pub(super) const NONE: Self = Self {
        slope: 1.0,
        most: f32::INFINITY,
    };
    /// `max(x, 0)`.
    pub(super) const RELU: Self = Self {
        slope: 0.0,
        most: f32::INFINITY,
    };

    #[inline(always)]
    pub(super) fn apply<S: Simd>(self, simd: S, x: S::f32s) -> S::f32s {
        let sloped = simd.mul_f32s(x, simd.splat_f32s(self.slope));
        simd.min_f32s(simd.max_f32s(x, sloped), simd.splat_f32s(self.most))
    }
}
