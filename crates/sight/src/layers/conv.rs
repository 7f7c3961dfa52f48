//! Convolution over all channels, and the matrix product, which is one over a single pixel.
//!
//! For a tile of output pixels and a block of output channels the sums stay in registers while the
//! window's numbers pass by: each is spread over a vector and multiplied with that input channel's
//! weights for the block. A row of the window is one run of memory, since channels lie together.

use pulp::{Arch, Simd, WithSimd};

use super::activation::{Activation, Rectifier};
use super::layout::Layout;
use super::window::Window;

/// Vectors of output channels in a block.
const VECTORS: usize = 2;

/// A convolution with its bias and what follows it.
pub(super) struct Conv {
    window: Window,
    from: Layout,
    to: Layout,
    blocks: Vec<Block>,
    rectifier: Rectifier,
    /// Of every output pixel: where its window begins, and where it is written.
    places: Vec<[usize; 2]>,
}

/// Some output channels, with their weights as `[window row][pixel and input channel][output channel]`.
struct Block {
    first: usize,
    bias: Vec<f32>,
    weights: Vec<f32>,
}

impl Conv {
    /// For runs on `arch`. `weights` as ONNX has them, `[out, in, height, width]`; `bias` of each output channel.
    pub(super) fn new(
        arch: Arch,
        window: Window,
        [from, to]: [Layout; 2],
        weights: &[f32],
        bias: &[f32],
        activation: Activation,
    ) -> Self {
        let width = VECTORS * arch.dispatch(Lanes);
        let blocks = (0..to.stored)
            .step_by(width)
            .map(|first| {
                let channels = first..to.stored.min(first + width);
                Block {
                    first,
                    bias: channels
                        .clone()
                        .map(|o| bias.get(o).copied().unwrap_or(0.0))
                        .collect(),
                    weights: pack(window, &from, weights, to.channels, channels),
                }
            })
            .collect();
        let pixels = (0..to.height).flat_map(|y| (0..to.width).map(move |x| (y, x)));
        let places = pixels.map(|(y, x)| {
            let (down, across) = (y * window.stride[0], x * window.stride[1]);
            [from.window(window.pads, down, across), to.at(y, x)]
        });
        Self {
            places: places.collect(),
            window,
            from,
            to,
            blocks,
            rectifier: activation.over(&to),
        }
    }

    /// Multiplications for one picture.
    pub(super) fn multiplications(&self) -> usize {
        let [down, across] = self.window.size;
        self.places.len() * down * across * self.from.stored * self.to.stored
    }

    /// Reads and writes as many pictures as there are in the slices.
    pub(super) fn run(&self, arch: Arch, input: &[f32], output: &mut [f32]) {
        arch.dispatch(Task {
            conv: self,
            input,
            output,
        });
    }
}

/// Brings the weights of some output channels into the order in which they are used.
fn pack(
    window: Window,
    from: &Layout,
    weights: &[f32],
    outputs: usize,
    channels: std::ops::Range<usize>,
) -> Vec<f32> {
    let [height, width] = window.size;
    let mut packed = Vec::with_capacity(height * width * from.stored * channels.len());
    for y in 0..height {
        for x in 0..width {
            for i in 0..from.stored {
                packed.extend(channels.clone().map(|o| {
                    let there = o < outputs && i < from.channels;
                    let at = ((o * from.channels + i) * height + y) * width + x;
                    if there { weights[at] } else { 0.0 }
                }));
            }
        }
    }
    packed
}

/// Numbers in one vector of this processor.
struct Lanes;

impl WithSimd for Lanes {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        S::F32_LANES
    }
}

struct Task<'a> {
    conv: &'a Conv,
    input: &'a [f32],
    output: &'a mut [f32],
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let pixels = self.conv.places.len() * (self.input.len() / self.conv.from.size());
        for block in &self.conv.blocks {
            // As many sums as fit into the registers beside two vectors of weights and a number; of
            // the sizes that do, the one that leaves the fewest places empty.
            if block.bias.len() < VECTORS * S::F32_LANES {
                self.block::<S, 12, 1>(simd, block);
            } else if S::REGISTER_COUNT < 32 {
                match best(pixels, [6, 4, 3]) {
                    6 => self.block::<S, 6, VECTORS>(simd, block),
                    4 => self.block::<S, 4, VECTORS>(simd, block),
                    _ => self.block::<S, 3, VECTORS>(simd, block),
                }
            } else {
                match best(pixels, [12, 8, 6]) {
                    12 => self.block::<S, 12, VECTORS>(simd, block),
                    8 => self.block::<S, 8, VECTORS>(simd, block),
                    _ => self.block::<S, 6, VECTORS>(simd, block),
                }
            }
        }
    }
}

/// The tile that wastes least on so many pixels; each tile costs about a pixel's work by itself.
fn best(pixels: usize, tiles: [usize; 3]) -> usize {
    let cost = |tile: usize| pixels.div_ceil(tile) * (tile + 1);
    let [mut best, rest @ ..] = tiles;
    for tile in rest {
        if cost(tile) < cost(best) {
            best = tile;
        }
    }
    best
}

impl Task<'_> {
    /// All pixels of one block of `V` vectors, `R` pixels at a time. The last tile does its last pixel
    /// again instead of what is not there.
    #[inline(always)]
    fn block<S: Simd, const R: usize, const V: usize>(&mut self, simd: S, block: &Block) {
        let conv = self.conv;
        let lanes = V * S::F32_LANES;
        let [bias] = vectors::<S, V>(&block.bias) else {
            return;
        };
        let slopes = conv.rectifier.slopes::<S>(block.first);
        let run = conv.window.size[1] * conv.from.stored;
        let per_picture = conv.places.len();
        let pixels = per_picture * (self.input.len() / conv.from.size());
        for start in (0..pixels).step_by(R) {
            let mut places = [[0; 2]; R];
            for (r, place) in places.iter_mut().enumerate() {
                let pixel = (start + r).min(pixels - 1);
                let picture = pixel / per_picture;
                let [from, to] = conv.places[pixel - picture * per_picture];
                *place = [
                    picture * conv.from.size() + from,
                    picture * conv.to.size() + to + block.first,
                ];
            }
            let mut sums = [*bias; R];
            for (y, weights) in block.weights.chunks_exact(run * lanes).enumerate() {
                let weights = vectors::<S, V>(weights);
                let row = y * conv.from.row();
                let mut numbers: [&[f32]; R] = [&[]; R];
                for (numbers, [from, _]) in numbers.iter_mut().zip(places) {
                    *numbers = &self.input[from + row..][..weights.len()];
                }
                sums = accumulate(simd, weights, numbers, sums);
            }
            for ([_, to], sums) in places.iter().zip(sums) {
                let to = S::as_mut_simd_f32s(&mut self.output[*to..*to + lanes]).0;
                for ((to, sum), slope) in to.iter_mut().zip(sums).zip(slopes) {
                    *to = conv.rectifier.apply(simd, *slope, sum);
                }
            }
        }
    }
}

/// Adds one row of the window to the sums.
#[inline(always)]
fn accumulate<S: Simd, const R: usize, const V: usize>(
    simd: S,
    weights: &[[S::f32s; V]],
    numbers: [&[f32]; R],
    mut sums: [[S::f32s; V]; R],
) -> [[S::f32s; V]; R] {
    for (k, weights) in weights.iter().enumerate() {
        for r in 0..R {
            let number = simd.splat_f32s(numbers[r][k]);
            for v in 0..V {
                sums[r][v] = simd.mul_add_e_f32s(number, weights[v], sums[r][v]);
            }
        }
    }
    sums
}

/// Numbers as groups of `V` vectors.
#[inline(always)]
fn vectors<S: Simd, const V: usize>(numbers: &[f32]) -> &[[S::f32s; V]] {
    S::as_simd_f32s(numbers).0.as_chunks::<V>().0
}
