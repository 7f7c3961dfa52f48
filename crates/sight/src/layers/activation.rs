//! What follows a layer, number by number.

use pulp::Simd;

use super::layout::Layout;

/// `min(max(x, 0) + slope * min(x, 0), most)`: nothing, a rectifier, a leaky or a bounded one, by its
/// numbers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Activation {
    /// What negative numbers are multiplied with: one for all channels, or one for each.
    pub slopes: Vec<f32>,
    pub most: f32,
}

impl Activation {
    /// Multiplies negative numbers of all channels.
    pub(super) fn leaky(slope: f32) -> Self {
        Self {
            slopes: vec![slope],
            most: f32::INFINITY,
        }
    }

    /// Leaves numbers as they are.
    pub(super) fn none() -> Self {
        Self::leaky(1.0)
    }

    /// For the channels of a value.
    pub(super) fn over(self, value: &Layout) -> Rectifier {
        let slope = |c: usize| match self.slopes[..] {
            [slope] => slope,
            _ => self.slopes.get(c).copied().unwrap_or(0.0),
        };
        Rectifier {
            slopes: (0..value.stored).map(slope).collect(),
            most: self.most,
        }
    }
}

/// An activation with its slope for each stored channel.
pub(super) struct Rectifier {
    slopes: Vec<f32>,
    most: f32,
}

impl Rectifier {
    /// The slopes of the channels from `first` on, a vector for each of `apply`.
    #[inline(always)]
    pub(super) fn slopes<S: Simd>(&self, first: usize) -> &[S::f32s] {
        S::as_simd_f32s(&self.slopes[first..]).0
    }

    /// One of the [slopes](Self::slopes) applied to numbers of its channels.
    #[inline(always)]
    pub(super) fn apply<S: Simd>(&self, simd: S, slope: S::f32s, x: S::f32s) -> S::f32s {
        let zero = simd.splat_f32s(0.0);
        let negative = simd.min_f32s(x, zero);
        let bent = simd.mul_add_e_f32s(negative, slope, simd.max_f32s(x, zero));
        simd.min_f32s(bent, simd.splat_f32s(self.most))
    }
}
