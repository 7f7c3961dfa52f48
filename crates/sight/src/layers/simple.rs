//! Layers without weights: poolings, sums, zeros behind, the logistic function.

use pulp::{Arch, Simd, WithSimd};

use super::activation::Rectifier;
use super::layout::Layout;
use super::window::Window;

/// What becomes of the numbers in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pooling {
    /// The largest; what lies beyond the picture does not count.
    Max,
    /// The mean; windows that reach beyond the picture are not known here.
    Mean,
}

/// Slides a window over each channel.
pub(super) struct Pool {
    pub pooling: Pooling,
    pub window: Window,
    pub from: Layout,
    pub to: Layout,
}

/// One value, or two added, number by number.
pub(super) struct Sum {
    pub from: Layout,
    /// The other value's layout, which may differ in its margin.
    pub other: Option<Layout>,
    pub to: Layout,
    pub rectifier: Rectifier,
}

impl Pool {
    /// Reads and writes as many pictures as there are in the slices.
    pub(super) fn run(&self, arch: Arch, input: &[f32], output: &mut [f32]) {
        let pictures = input.chunks_exact(self.from.size());
        for (input, output) in pictures.zip(output.chunks_exact_mut(self.to.size())) {
            arch.dispatch(PoolTask {
                pool: self,
                input,
                output,
            });
        }
    }
}

struct PoolTask<'a> {
    pool: &'a Pool,
    input: &'a [f32],
    output: &'a mut [f32],
}

impl WithSimd for PoolTask<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Pool {
            pooling,
            window,
            from,
            to,
        } = self.pool;
        let count = (window.size[0] * window.size[1]) as f32;
        for y in 0..to.height {
            let rows = inside(
                y * window.stride[0],
                window.size[0],
                window.pads.top,
                from.height,
            );
            for x in 0..to.width {
                let across = x * window.stride[1];
                let columns = inside(across, window.size[1], window.pads.left, from.width);
                let start = to.at(y, x);
                let target = S::as_mut_simd_f32s(&mut self.output[start..start + to.stored]).0;
                let mut first = true;
                for row in rows.clone() {
                    for column in columns.clone() {
                        let at = from.at(row, column);
                        let pixel = S::as_simd_f32s(&self.input[at..at + from.stored]).0;
                        for (sum, new) in target.iter_mut().zip(pixel) {
                            *sum = match pooling {
                                _ if first => *new,
                                Pooling::Max => simd.max_f32s(*sum, *new),
                                Pooling::Mean => simd.add_f32s(*sum, *new),
                            };
                        }
                        first = false;
                    }
                }
                if *pooling == Pooling::Mean {
                    for sum in target {
                        *sum = simd.mul_f32s(*sum, simd.splat_f32s(1.0 / count));
                    }
                }
            }
        }
    }
}

/// The part of a window that lies on the picture: `start` counts from `pad` before it.
fn inside(start: usize, size: usize, pad: usize, length: usize) -> std::ops::Range<usize> {
    start.saturating_sub(pad)..(start + size - pad).min(length)
}

impl Sum {
    /// Reads and writes as many pictures as there are in the slices; `other` is not read if there is none.
    pub(super) fn run(&self, arch: Arch, input: &[f32], other: &[f32], output: &mut [f32]) {
        let pictures = input.len() / self.from.size();
        for i in 0..pictures {
            let picture = |layout: &Layout| i * layout.size()..(i + 1) * layout.size();
            arch.dispatch(SumTask {
                sum: self,
                input: &input[picture(&self.from)],
                other: self.other.as_ref().map(|layout| &other[picture(layout)]),
                output: &mut output[picture(&self.to)],
            });
        }
    }
}

struct SumTask<'a> {
    sum: &'a Sum,
    input: &'a [f32],
    other: Option<&'a [f32]>,
    output: &'a mut [f32],
}

impl WithSimd for SumTask<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Sum {
            from,
            other,
            to,
            rectifier,
        } = self.sum;
        let length = to.width * to.stored;
        let slopes = rectifier.slopes::<S>(0);
        let line = |layout: &Layout, y: usize| layout.at(y, 0)..layout.at(y, 0) + length;
        for y in 0..to.height {
            let target = S::as_mut_simd_f32s(&mut self.output[line(to, y)]).0;
            let one = S::as_simd_f32s(&self.input[line(from, y)]).0;
            match (other, self.other) {
                (Some(layout), Some(other)) => {
                    let two = S::as_simd_f32s(&other[line(layout, y)]).0;
                    let numbers = target.iter_mut().zip(one).zip(two);
                    for (((to, one), two), slope) in numbers.zip(slopes.iter().cycle()) {
                        *to = rectifier.apply(simd, *slope, simd.add_f32s(*one, *two));
                    }
                }
                _ => {
                    for ((to, one), slope) in target.iter_mut().zip(one).zip(slopes.iter().cycle())
                    {
                        *to = rectifier.apply(simd, *slope, *one);
                    }
                }
            }
        }
    }
}

/// Copies a picture into one with more rows, columns or channels behind, which are zero.
pub(super) fn widen([from, to]: [&Layout; 2], input: &[f32], output: &mut [f32]) {
    let pictures = input.chunks_exact(from.size());
    for (input, output) in pictures.zip(output.chunks_exact_mut(to.size())) {
        output.fill(0.0);
        for y in 0..from.height {
            for x in 0..from.width {
                let (source, target) = (from.at(y, x), to.at(y, x));
                output[target..target + from.channels]
                    .copy_from_slice(&input[source..source + from.channels]);
            }
        }
    }
}

/// `1 / (1 + exp(-x))` of each number. Networks end with it, on a few.
pub(super) fn logistic([from, to]: [&Layout; 2], input: &[f32], output: &mut [f32]) {
    let pictures = input.chunks_exact(from.size());
    for (input, output) in pictures.zip(output.chunks_exact_mut(to.size())) {
        for y in 0..to.height {
            let length = to.width * to.stored;
            let numbers = &input[from.at(y, 0)..][..length];
            for (to, x) in output[to.at(y, 0)..][..length].iter_mut().zip(numbers) {
                *to = 1.0 / (1.0 + (-x).exp());
            }
        }
    }
}
