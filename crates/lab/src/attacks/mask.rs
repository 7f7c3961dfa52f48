//! A cut-out photo worn as a mask: the face is the victim's, the eyes in its holes are the wearer's.

use face::Image;
use face::liveness::Action;
use rand::{RngExt as _, rngs::StdRng};

use super::bona_fide::{Clip, ClipFrame};

/// Corners of the right and of the left eye, outer and inner.
const EYES: [[usize; 2]; 2] = [[33, 133], [362, 263]];
/// Half the width and height of a hole, in units of the eye's width.
const HOLE: [f32; 2] = [0.62, 0.36];

/// The victim's photo with the eyes of a wearer, who blinks when that is asked and they can.
pub(super) fn with_eyes(
    victim: &ClipFrame,
    wearer: &Clip,
    action: Action,
    random: &mut StdRng,
) -> Image {
    let blinks = wearer.done.iter().find(|(a, _)| *a == Action::Blink);
    let at = match blinks {
        Some((_, heights)) if action == Action::Blink => {
            heights[random.random_range(0..heights.len())]
        }
        _ => wearer.straight,
    };
    let behind = &wearer.frames[at];
    let photo = &victim.image;
    let holes = EYES.map(|eye| {
        let [a, b] = eye.map(|i| victim.points[i]);
        let [c, d] = eye.map(|i| behind.points[i]);
        // The rotation and scale that lay the wearer's corners of the eye onto the mask's.
        let (ux, uy) = (b[0] - a[0], b[1] - a[1]);
        let (vx, vy) = (d[0] - c[0], d[1] - c[1]);
        let square = (ux * ux + uy * uy).max(1.0);
        let (re, im) = ((vx * ux + vy * uy) / square, (vy * ux - vx * uy) / square);
        let middle = [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0];
        let from = [(c[0] + d[0]) / 2.0, (c[1] + d[1]) / 2.0];
        (middle, from, re, im, square.sqrt(), uy.atan2(ux))
    });
    Image::painted(photo.width(), photo.height(), |px, py| {
        for (middle, from, re, im, width, slant) in holes {
            let (x, y) = (px as f32 + 0.5 - middle[0], py as f32 + 0.5 - middle[1]);
            let (sin, cos) = slant.sin_cos();
            let (along, across) = ((x * cos + y * sin) / width, (y * cos - x * sin) / width);
            if (along / HOLE[0]).powi(2) + (across / HOLE[1]).powi(2) < 1.0 {
                let (u, v) = (from[0] + re * x - im * y, from[1] + im * x + re * y);
                return behind.image.sample(u - 0.5, v - 0.5);
            }
        }
        photo.sample(px as f32, py as f32)
    })
}
