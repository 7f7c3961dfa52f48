//! The grid of a screen: pixels photographed by other pixels beat against each other (moiré), which skin
//! never does. The beat is a narrow peak in the spectrum.

use std::sync::{Arc, LazyLock};

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftPlanner};

use crate::geometry::Point;
use crate::image::Image;

/// Sides of the squares looked at, in pixels; the largest that fits the face.
const SIDES: [usize; 3] = [128, 64, 32];
/// Side of the square whose mean is a pixel's blur.
const AROUND: usize = 5;
/// Lowest frequency looked at, in cycles a pixel: below it faces have structure of their own.
const LOWEST: f32 = 0.1;
/// Width of the strips along both axes that are left out, in cycles a pixel: edges of the JPEG blocks and
/// of upright things lie there.
const AXIS: f32 = 0.035;
/// Highest frequency along an axis: resized pictures repeat themselves near half a cycle a pixel.
const HIGHEST: f32 = 0.47;

/// How far the strongest peak of the face's spectrum stands out from other frequencies of its size, as a
/// ratio of powers; 0 if the face is too small to tell.
pub(super) fn grid(image: &Image, center: Point, width: f32, height: f32) -> f32 {
    let extent = width.min(height);
    let mut plans = PLANS.iter();
    let Some(plan) = plans.find(|plan| plan.side as f32 <= extent) else {
        return 0.0;
    };
    let squares = squares(center, width, height, plan.side as f32);
    [luma as fn(&[u8; 3]) -> f32, red_green, blue_green]
        .into_iter()
        .map(|channel| plan.peak(&plan.spectrum(image, &squares, channel)))
        .fold(0.0, f32::max)
}

/// Middles of the squares: one in the middle of the face, and where it is large more on its cheeks and
/// forehead, whose spectra are added: a grid is the same everywhere, features are not.
fn squares(center: Point, width: f32, height: f32, side: f32) -> Vec<Point> {
    let offsets: &[(f32, f32)] = if width.min(height) >= 1.5 * side {
        &[
            (0.0, 0.0),
            (-0.22, 0.08),
            (0.22, 0.08),
            (0.0, -0.25),
            (0.0, 0.2),
        ]
    } else {
        &[(0.0, 0.0)]
    };
    offsets
        .iter()
        .map(|(x, y)| Point::new(center.x + x * width, center.y + y * height))
        .collect()
}

fn luma(&[r, g, b]: &[u8; 3]) -> f32 {
    0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b)
}

fn red_green(&[r, g, _]: &[u8; 3]) -> f32 {
    f32::from(r) - f32::from(g)
}

fn blue_green(&[_, g, b]: &[u8; 3]) -> f32 {
    f32::from(b) - f32::from(g)
}

/// What looking at squares of one size takes, worked out once.
struct Plan {
    side: usize,
    across: Arc<dyn RealToComplex<f32>>,
    down: Arc<dyn Fft<f32>>,
    hann: Vec<f32>,
    /// The frequencies of a spectrum, ordered by their size, and how many there are of each.
    by_size: Vec<usize>,
    counts: Vec<usize>,
    /// Frequencies at which a peak tells something, each with its size.
    telling: Vec<[usize; 2]>,
}

static PLANS: LazyLock<[Plan; 3]> = LazyLock::new(|| SIDES.map(Plan::new));

impl Plan {
    fn new(side: usize) -> Self {
        let half = side / 2 + 1;
        let frequency = |i: usize| {
            let signed = if i <= side / 2 {
                i as f32
            } else {
                i as f32 - side as f32
            };
            signed / side as f32
        };
        let place = |i: usize| (frequency(i % half), frequency(i / half));
        let size = |i: usize| {
            let (x, y) = place(i);
            (x * x + y * y).sqrt()
        };
        let ring = |i: usize| (size(i) * side as f32) as usize;
        let mut by_size: Vec<usize> = (0..half * side).collect();
        by_size.sort_by_key(|i| ring(*i));
        let mut counts = vec![0; side];
        for i in &by_size {
            counts[ring(*i)] += 1;
        }
        let tells = |i: &usize| {
            let (x, y) = place(*i);
            size(*i) > LOWEST && !excluded(x, y, side)
        };
        Self {
            side,
            across: RealFftPlanner::new().plan_fft_forward(side),
            down: FftPlanner::new().plan_fft_forward(side),
            hann: (0..side).map(|i| hann(i, side)).collect(),
            telling: (0..half * side)
                .filter(tells)
                .map(|i| [i, ring(i)])
                .collect(),
            by_size,
            counts,
        }
    }

    /// Power at each frequency, summed over the squares, each of which counts the same: `side / 2 + 1`
    /// frequencies across for each down. The other half mirrors them, as of all that is real.
    fn spectrum(&self, image: &Image, squares: &[Point], channel: fn(&[u8; 3]) -> f32) -> Vec<f32> {
        let side = self.side;
        let half = self.across.complex_len();
        let mut scratch = self.across.make_scratch_vec();
        let mut rows = vec![Complex::default(); half * side];
        let mut power = vec![0.0; half * side];
        for middle in squares {
            let mut detail = detail(image, *middle, side, channel);
            let deviation =
                (detail.iter().map(|v| v * v).sum::<f32>() / detail.len() as f32).sqrt();
            if deviation < f32::MIN_POSITIVE {
                continue;
            }
            let lines = detail.chunks_exact_mut(side);
            for ((line, row), faded) in lines.zip(rows.chunks_exact_mut(half)).zip(&self.hann) {
                for (v, weight) in line.iter_mut().zip(&self.hann) {
                    *v *= weight * faded / deviation;
                }
                // Fails only for slices of another length.
                let _ = self.across.process_with_scratch(line, row, &mut scratch);
            }
            let mut columns = transposed(&rows, half);
            self.down.process(&mut columns);
            for (x, column) in columns.chunks_exact(side).enumerate() {
                for (y, value) in column.iter().enumerate() {
                    power[y * half + x] += value.norm_sqr();
                }
            }
        }
        power
    }

    /// The highest ratio of a frequency's power to the median power of all frequencies of its size.
    fn peak(&self, power: &[f32]) -> f32 {
        let mut ordered: Vec<f32> = self.by_size.iter().map(|i| power[*i]).collect();
        let mut rest = ordered.as_mut_slice();
        let mut medians = Vec::with_capacity(self.side);
        for count in &self.counts {
            let (ring, larger) = std::mem::take(&mut rest).split_at_mut(*count);
            medians.push(median(ring));
            rest = larger;
        }
        let floor = median(&mut medians.clone()) * 0.05;
        let ratio =
            |[i, ring]: &[usize; 2]| power[*i] / medians[*ring].max(floor).max(f32::MIN_POSITIVE);
        self.telling.iter().map(ratio).fold(0.0, f32::max)
    }
}

fn hann(i: usize, side: usize) -> f32 {
    let phase = std::f32::consts::TAU * (i as f32 + 0.5) / side as f32;
    0.5 - 0.5 * phase.cos()
}

/// Rows of `width` numbers as columns.
fn transposed(rows: &[Complex<f32>], width: usize) -> Vec<Complex<f32>> {
    (0..width)
        .flat_map(|x| rows.iter().skip(x).step_by(width).copied())
        .collect()
}

/// What a square holds beyond its own blur: each pixel less the mean of the square of [`AROUND`] around it.
fn detail(image: &Image, middle: Point, side: usize, channel: fn(&[u8; 3]) -> f32) -> Vec<f32> {
    let (width, height) = (image.width(), image.height());
    let from = |c: f32, length: usize| {
        ((c - side as f32 / 2.0).max(0.0) as usize).min(length.saturating_sub(side))
    };
    let (left, top) = (from(middle.x, width), from(middle.y, height));
    let pixels = image.data().as_chunks::<3>().0;
    let wide = side + AROUND - 1;
    // Beyond the picture's edges the last pixel goes on.
    let near = |at: usize, length: usize| at.saturating_sub(AROUND / 2).min(length - 1);
    let values: Vec<f32> = (0..wide * wide)
        .map(|i| [near(left + i % wide, width), near(top + i / wide, height)])
        .map(|[x, y]| channel(&pixels[y * width + x]))
        .collect();
    let mut sums = vec![0.0; wide * side];
    for (line, sums) in values.chunks_exact(wide).zip(sums.chunks_exact_mut(side)) {
        for from in 0..AROUND {
            for (sum, value) in sums.iter_mut().zip(&line[from..]) {
                *sum += value;
            }
        }
    }
    let mut detail = Vec::with_capacity(side * side);
    for y in 0..side {
        let line = &values[(y + AROUND / 2) * wide + AROUND / 2..][..side];
        detail.extend_from_slice(line);
        for sums in sums[y * side..].chunks_exact(side).take(AROUND) {
            for (value, sum) in detail[y * side..].iter_mut().zip(sums) {
                *value -= sum / (AROUND * AROUND) as f32;
            }
        }
    }
    detail
}

/// Frequencies where honest pictures have peaks: along the axes, near half a cycle, and where the
/// multiples of the 8-pixel JPEG blocks cross.
fn excluded(x: f32, y: f32, side: usize) -> bool {
    let axis = x.abs() < AXIS || y.abs() < AXIS;
    let edge = x.abs() > HIGHEST || y.abs() > HIGHEST;
    let block = |v: f32| (v * 8.0 - (v * 8.0).round()).abs() < 8.0 * 1.2 / side as f32;
    axis || edge || (block(x) && block(y))
}

fn median(values: &mut [f32]) -> f32 {
    let middle = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(value: impl Fn(usize, usize) -> f32) -> Image {
        let data = (0..200 * 200)
            .flat_map(|i| [value(i % 200, i / 200).clamp(0.0, 255.0) as u8; 3])
            .collect();
        Image::new(200, 200, data).unwrap()
    }

    /// A hash of the place: noise that is the same in each run.
    fn noise(x: usize, y: usize) -> f32 {
        let n = (x as u32).wrapping_mul(0x9E37_79B1) ^ (y as u32).wrapping_mul(0x85EB_CA77);
        let n = (n ^ (n >> 15)).wrapping_mul(0x2C1B_3C6D);
        ((n ^ (n >> 12)) % 1000) as f32 / 1000.0 - 0.5
    }

    fn score(value: impl Fn(usize, usize) -> f32) -> f32 {
        grid(&picture(value), Point::new(100.0, 100.0), 150.0, 150.0)
    }

    #[test]
    fn noise_and_shades_have_no_grid() {
        let plain = score(|x, y| 120.0 + x as f32 / 4.0 + 8.0 * noise(x, y));
        assert!(plain < 40.0, "{plain}");
    }

    #[test]
    fn a_faint_slanted_wave_stands_out() {
        let wave = |x: usize, y: usize| (x as f32 * 1.3 + y as f32 * 0.9).sin();
        let grid = score(|x, y| 120.0 + x as f32 / 4.0 + 8.0 * noise(x, y) + 6.0 * wave(x, y));
        assert!(grid > 200.0, "{grid}");
    }

    #[test]
    fn a_face_too_small_to_tell_is_not_accused() {
        let image = picture(|_, _| 7.0);
        assert_eq!(grid(&image, Point::new(100.0, 100.0), 20.0, 20.0), 0.0);
    }
}
