//! Convolution of each channel by itself, three by three.

use pulp::{Arch, Simd, WithSimd};

use super::activation::{Activation, Rectifier};
use super::layout::Layout;
use super::window::Window;

/// Numbers in a window.
const TAPS: usize = 9;

/// A three by three convolution of each channel by itself.
pub(super) struct Depthwise {
    window: Window,
    from: Layout,
    to: Layout,
    /// `[channel of the window][channel]`.
    weights: Vec<f32>,
    bias: Vec<f32>,
    rectifier: Rectifier,
}

impl Depthwise {
    /// Whether such windows are known here.
    pub(super) fn knows(window: &Window) -> bool {
        window.size == [3, 3]
    }

    /// `weights` as ONNX has them, `[channel, 1, 3, 3]`.
    pub(super) fn new(
        window: Window,
        [from, to]: [Layout; 2],
        weights: &[f32],
        bias: &[f32],
        activation: Activation,
    ) -> Self {
        let number = |at: usize, c: usize| if c < to.channels { weights[at] } else { 0.0 };
        Self {
            weights: (0..TAPS)
                .flat_map(|tap| (0..to.stored).map(move |c| number(c * TAPS + tap, c)))
                .collect(),
            bias: (0..to.stored)
                .map(|c| bias.get(c).copied().unwrap_or(0.0))
                .collect(),
            window,
            from,
            to,
            rectifier: activation.over(&to),
        }
    }

    /// Multiplications for one picture.
    pub(super) fn multiplications(&self) -> usize {
        self.to.height * self.to.width * self.to.stored * TAPS
    }

    /// Reads and writes as many pictures as there are in the slices.
    pub(super) fn run(&self, arch: Arch, input: &[f32], output: &mut [f32]) {
        let pictures = input.chunks_exact(self.from.size());
        for (input, output) in pictures.zip(output.chunks_exact_mut(self.to.size())) {
            arch.dispatch(Task {
                layer: self,
                input,
                output,
            });
        }
    }
}

struct Task<'a> {
    layer: &'a Depthwise,
    input: &'a [f32],
    output: &'a mut [f32],
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Depthwise {
            window, from, to, ..
        } = self.layer;
        let vectors = to.stored / S::F32_LANES;
        let weights = S::as_simd_f32s(&self.layer.weights).0;
        let bias = S::as_simd_f32s(&self.layer.bias).0;
        let rectifier = &self.layer.rectifier;
        let slopes = rectifier.slopes::<S>(0);
        for y in 0..to.height {
            let mut rows: [&[S::f32s]; 3] = [&[]; 3];
            for (i, row) in rows.iter_mut().enumerate() {
                let start = from.window(window.pads, y * window.stride[0] + i, 0);
                let length = ((to.width - 1) * window.stride[1] + 3) * from.stored;
                *row = S::as_simd_f32s(&self.input[start..start + length]).0;
            }
            let start = to.at(y, 0);
            let line = &mut self.output[start..start + to.width * to.stored];
            let line = S::as_mut_simd_f32s(line).0;
            for channel in 0..vectors {
                let mut taps = [bias[channel]; TAPS];
                for (i, tap) in taps.iter_mut().enumerate() {
                    *tap = weights[i * vectors + channel];
                }
                let step = window.stride[1] * vectors;
                for (x, to) in line[channel..].iter_mut().step_by(vectors).enumerate() {
                    let at = x * step + channel;
                    let sum = one::<S>(simd, rows, at, vectors, &taps, bias[channel]);
                    *to = rectifier.apply(simd, slopes[channel], sum);
                }
            }
        }
    }
}

/// One window's sum for one vector of channels; neighbours are `step` vectors apart.
#[inline(always)]
fn one<S: Simd>(
    simd: S,
    rows: [&[S::f32s]; 3],
    at: usize,
    step: usize,
    taps: &[S::f32s; TAPS],
    bias: S::f32s,
) -> S::f32s {
    let mut sums = [bias, simd.splat_f32s(0.0), simd.splat_f32s(0.0)];
    for (i, row) in rows.iter().enumerate() {
        for x in 0..3 {
            sums[i] = simd.mul_add_e_f32s(row[at + x * step], taps[3 * i + x], sums[i]);
        }
    }
    simd.add_f32s(sums[0], simd.add_f32s(sums[1], sums[2]))
}
