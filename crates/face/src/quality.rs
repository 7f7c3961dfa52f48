//! Whether a face can be compared: size, light, sharpness.
//!
//! The measures follow the ideas of ISO/IEC 29794-5 (capture-related quality); the limits are
//! conservative, so that a photo people would call good never fails.

use crate::PoorReason;
use crate::geometry::Similarity;
use crate::image::Image;
use crate::mesh::{Mesh, at};
use sight::Pose;

/// Smallest side of the face box, in pixels of the photo (about 21 between the pupils). Measured on 36
/// photos scaled down: at 40 pixels a face is at most 0.25 from itself, at 32 up to 0.29.
const MIN_SIDE: f32 = 40.0;
/// Least mean brightness of the face. Darkened to 15, faces are 0.24 from themselves, below that some
/// are lost; the darkest of the 36 has 100.
const MIN_BRIGHTNESS: f32 = 15.0;
/// Largest part of the face that may be burnt out. At 0.6 a face is up to 0.4 from itself; the photos
/// have at most 0.013.
const MAX_BURNT: f32 = 0.6;
/// Least detail. Blurred to what 20 pixels could show (0.39 from itself) a face has 0.006 or less, the
/// least detailed photo 0.07, a sharp face of 40 pixels 0.014.
const MIN_DETAIL: f32 = 0.005;

/// Largest turn to the side, degrees of the mesh. The 36 photos reach 19; beyond 35 an eye is lost.
const MAX_YAW: f32 = 35.0;
/// Least opening of the eyes. Of the 48 photos measured the narrowest, laughing, have 0.22; blinks reach
/// 0.17, closed eyes 0.1.
const MIN_EYES: f32 = 0.15;
/// Least contrast of eyes and mouth, each against the whole face: a hand, a mask or dark glasses have none
/// of a feature's own. The least of the 48 photos has 0.42.
const MIN_FEATURE: f32 = 0.12;

/// What was measured on one face.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quality {
    /// Side of the face box, in pixels of the photo.
    pub side: f32,
    /// Mean brightness of the face, 0 to 255.
    pub brightness: f32,
    /// Part of the face that is burnt out, 0 to 1.
    pub burnt: f32,
    /// Fine detail over contrast: variance of the Laplacian over variance of the brightness.
    pub detail: f32,
}

impl Quality {
    /// Measures the face in an aligned chip with `padding` around the face box.
    pub(crate) fn measure(chip: &Image, padding: f32, side: f32) -> Self {
        let face = Gray::middle(chip, padding);
        let brightness = mean(face.values());
        let burnt = mean(face.values().map(|v| f32::from(u8::from(v >= 250.0))));
        let contrast = mean(face.values().map(|v| (v - brightness).powi(2)));
        let detail = mean(face.laplacian().map(|v| v * v)) / contrast.max(1.0);
        Self {
            side,
            brightness,
            burnt,
            detail,
        }
    }

    /// The first reason not to compare the face, the one the person can mend most easily in front.
    pub(crate) fn flaw(&self) -> Option<PoorReason> {
        if self.side < MIN_SIDE {
            Some(PoorReason::TooSmall)
        } else if self.brightness < MIN_BRIGHTNESS {
            Some(PoorReason::TooDark)
        } else if self.burnt > MAX_BURNT {
            Some(PoorReason::TooBright)
        } else if self.detail < MIN_DETAIL {
            Some(PoorReason::Blurred)
        } else {
            None
        }
    }
}

/// What is wrong with a face that should look into the camera with nothing before it.
pub(crate) fn hidden(picture: &Image, mesh: &Mesh) -> Option<PoorReason> {
    let pose = Pose::of(mesh);
    if pose.yaw.abs() > MAX_YAW {
        Some(PoorReason::TurnedAway)
    } else if features(picture, mesh) < MIN_FEATURE {
        Some(PoorReason::Covered)
    } else if pose.eyes < MIN_EYES {
        Some(PoorReason::EyesClosed)
    } else {
        None
    }
}

/// Contrast of the least marked of eyes and mouth, over the whole face's.
pub(crate) fn features(picture: &Image, mesh: &Mesh) -> f32 {
    /// Pixels of the squares looked at.
    const SIDE: usize = 24;
    let contrast = |from: usize, to: usize, around: f32| {
        let (a, b) = (mesh.point(from), mesh.point(to));
        let side = (b.x - a.x).hypot(b.y - a.y) * around;
        let step = side / SIDE as f32;
        let square = Similarity {
            a: step,
            b: 0.0,
            tx: (a.x + b.x - side) / 2.0,
            ty: (a.y + b.y - side) / 2.0,
        };
        let Ok(square) = picture.warped(square, SIDE) else {
            return 0.0;
        };
        let values: Vec<f32> = square.data().as_chunks::<3>().0.iter().map(luma).collect();
        let middle = mean(values.iter().copied());
        mean(values.iter().map(|v| (v - middle).powi(2))).sqrt()
    };
    let whole = contrast(at::RIGHT_CHEEK, at::LEFT_CHEEK, 1.0).max(1.0);
    let [r, l] = [at::RIGHT_EYE, at::LEFT_EYE];
    [
        contrast(r[0], r[1], 1.0),
        contrast(l[0], l[1], 1.0),
        contrast(at::MOUTH[0], at::MOUTH[1], 0.9),
    ]
    .into_iter()
    .fold(f32::MAX, f32::min)
        / whole
}

/// Why no face may have been found in a picture, if it is as dark as no usable face is.
pub(crate) fn unseen(picture: &Image) -> Option<PoorReason> {
    let brightness = mean(picture.data().as_chunks::<3>().0.iter().map(luma));
    (brightness < MIN_BRIGHTNESS).then_some(PoorReason::TooDark)
}

/// Brightness of the middle part of a chip.
struct Gray {
    width: usize,
    data: Vec<f32>,
}

impl Gray {
    /// The face box inside a chip, without the padding.
    fn middle(chip: &Image, padding: f32) -> Self {
        let side = chip.width();
        let border = (side as f32 * padding / (1.0 + 2.0 * padding)) as usize;
        let inner = border..side - border;
        let rows = chip.data().chunks_exact(side * 3);
        let data = rows
            .take(inner.end)
            .skip(inner.start)
            .flat_map(|row| row.as_chunks::<3>().0[inner.clone()].iter().map(luma))
            .collect();
        Self {
            width: inner.len(),
            data,
        }
    }

    fn values(&self) -> impl Iterator<Item = f32> {
        self.data.iter().copied()
    }

    /// Four times each inner pixel minus its neighbours.
    fn laplacian(&self) -> impl Iterator<Item = f32> {
        let (w, data) = (self.width, &self.data);
        let height = data.len() / w.max(1);
        (1..height.saturating_sub(1)).flat_map(move |y| {
            (1..w - 1).map(move |x| {
                let i = y * w + x;
                4.0 * data[i] - data[i - 1] - data[i + 1] - data[i - w] - data[i + w]
            })
        })
    }
}

/// Brightness of a pixel (ITU-R BT.601 weights).
fn luma(&[r, g, b]: &[u8; 3]) -> f32 {
    0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b)
}

fn mean(values: impl Iterator<Item = f32>) -> f32 {
    let (sum, count) = values.fold((0.0, 0.0_f32), |(sum, count), v| (sum + v, count + 1.0));
    sum / count.max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chip whose brightness at (x, y) is `value(x, y)`.
    fn measured(side: f32, value: impl Fn(usize, usize) -> u8) -> Option<PoorReason> {
        let data = (0..150 * 150)
            .flat_map(|i| [value(i % 150, i / 150); 3])
            .collect();
        Quality::measure(&Image::new(150, 150, data).unwrap(), 0.25, side).flaw()
    }

    /// Blocks of 5 pixels, from `low` to `high`.
    fn blocks(low: u8, high: u8) -> impl Fn(usize, usize) -> u8 {
        move |x, y| {
            if (x / 5 + y / 5).is_multiple_of(2) {
                low
            } else {
                high
            }
        }
    }

    #[test]
    fn each_flaw_has_its_reason() {
        assert_eq!(measured(100.0, blocks(60, 180)), None);
        assert_eq!(measured(39.0, blocks(60, 180)), Some(PoorReason::TooSmall));
        assert_eq!(measured(100.0, blocks(0, 12)), Some(PoorReason::TooDark));
        assert_eq!(
            measured(100.0, |x, _| if x < 110 { 255 } else { 90 }),
            Some(PoorReason::TooBright)
        );
        assert_eq!(
            measured(100.0, |x, _| x as u8 + 50),
            Some(PoorReason::Blurred)
        );
    }

    #[test]
    fn only_the_face_counts_not_what_is_around_it() {
        let inside = |x: usize, y: usize| (25..125).contains(&x) && (25..125).contains(&y);
        let chip = |x, y| {
            if inside(x, y) {
                blocks(60, 180)(x, y)
            } else {
                0
            }
        };
        assert_eq!(measured(100.0, chip), None);
    }
}
