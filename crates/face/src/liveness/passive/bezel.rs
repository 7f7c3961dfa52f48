//! The frame around a screen or a held-up print: four straight edges around the face.
//!
//! Doors, shelves and pictures on a wall have straight edges too, but a person stands before them. So the
//! lower edge counts only where it crosses the body under the chin.

use crate::geometry::Point;
use crate::image::Image;

/// From this on a frame is there.
pub(super) const LEAST: f32 = 0.8;

/// Height of the face, in pixels, in the picture that is looked at: edges of a frame are long and coarse.
const FACE: f32 = 48.0;
/// Least change of brightness across an edge, per pixel.
const EDGE: f32 = 10.0;
/// Slants tried, as the tangent of the angle: 9 degrees to either side.
const SLANTS: std::ops::RangeInclusive<i8> = -8..=8;
const SLANT: f32 = 0.02;

/// How complete a frame around the face from `low` to `high` is: the part of its weakest side that is an
/// edge, 0 to 1. 0 if the face touches the picture's edge, where no frame can show.
pub(super) fn bezel(image: &Image, low: Point, high: Point) -> f32 {
    let scale = (FACE / (high.y - low.y).max(1.0)).min(1.0);
    let size = |length: usize| ((length as f32 * scale) as usize).max(1);
    let (width, height) = (size(image.width()), size(image.height()));
    let Ok(small) = image.resized(image.frame(), width, height) else {
        return 0.0;
    };
    let gray = Gray::of(&small);
    let face = Face {
        left: low.x * scale,
        right: high.x * scale,
        top: low.y * scale,
        bottom: high.y * scale,
    };
    let (upright, edges) = (gray.turned().edges(), gray.edges());
    [
        side(&upright, &face.turned(), face.beyond_left()),
        side(&upright, &face.turned(), face.beyond_right(gray.width)),
        side(&edges, &face, face.above()),
        side(&edges, &face, face.below(gray.height)),
    ]
    .into_iter()
    .fold(1.0, f32::min)
}

/// The face's box, in pixels of the small picture.
struct Face {
    left: f32,
    right: f32,
    top: f32,
    bottom: f32,
}

impl Face {
    fn width(&self) -> f32 {
        self.right - self.left
    }

    fn height(&self) -> f32 {
        self.bottom - self.top
    }

    /// With x and y exchanged.
    fn turned(&self) -> Self {
        Self {
            left: self.top,
            right: self.bottom,
            top: self.left,
            bottom: self.right,
        }
    }

    fn beyond_left(&self) -> std::ops::Range<f32> {
        1.0..self.left - 0.1 * self.width()
    }

    fn beyond_right(&self, width: usize) -> std::ops::Range<f32> {
        self.right + 0.1 * self.width()..width as f32 - 2.0
    }

    fn above(&self) -> std::ops::Range<f32> {
        1.0..self.top - 0.1 * self.height()
    }

    fn below(&self, height: usize) -> std::ops::Range<f32> {
        self.bottom + 0.15 * self.height()..height as f32 - 2.0
    }
}

/// The best edge across the picture at a height in `range`: the part of the face's width, and a third of
/// it to either side, along which brightness changes in one direction.
fn side(edges: &Edges, face: &Face, range: std::ops::Range<f32>) -> f32 {
    let reach = face.width() / 3.0;
    let from = (face.left - reach).max(1.0) as usize;
    let to = ((face.right + reach) as usize).min(edges.width.saturating_sub(1));
    if to <= from || range.end <= range.start {
        return 0.0;
    }
    let middle = (face.left + face.right) / 2.0;
    let mut best = 0.0_f32;
    for slant in SLANTS.map(|s| f32::from(s) * SLANT) {
        let mut y = range.start;
        while y < range.end {
            let (mut rising, mut falling) = (0, 0);
            for x in from..to {
                let edge = edges.at(x, y + slant * (x as f32 - middle));
                rising += usize::from(edge == Edge::Rising);
                falling += usize::from(edge == Edge::Falling);
            }
            best = best.max(rising.max(falling) as f32 / (to - from) as f32);
            y += 1.0;
        }
    }
    best
}

/// Brightness of a picture.
struct Gray {
    width: usize,
    height: usize,
    values: Vec<f32>,
}

impl Gray {
    fn of(image: &Image) -> Self {
        let values = image
            .data()
            .as_chunks::<3>()
            .0
            .iter()
            .map(|&[r, g, b]| 0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b))
            .collect();
        Self {
            width: image.width(),
            height: image.height(),
            values,
        }
    }

    /// With x and y exchanged.
    fn turned(&self) -> Self {
        let (width, height) = (self.height, self.width);
        let values = (0..width * height)
            .map(|i| self.values[(i % width) * self.width + i / width])
            .collect();
        Self {
            width,
            height,
            values,
        }
    }

    /// Where brightness changes downwards.
    fn edges(&self) -> Edges {
        let at = |x: usize, y: usize| self.values.get(y * self.width + x).copied();
        let change = |x: usize, y: usize| Some((at(x, y + 1)? - at(x, y.checked_sub(1)?)?) / 2.0);
        let edge = |i: usize| {
            let (x, y) = (i % self.width, i / self.width);
            let near = (y.saturating_sub(1)..=y + 1).filter_map(|y| change(x, y));
            // The steepest change within a pixel of the place.
            let step = near.max_by(|a, b| a.abs().total_cmp(&b.abs()));
            match step.unwrap_or(0.0) {
                step if step > EDGE => Edge::Rising,
                step if step < -EDGE => Edge::Falling,
                _ => Edge::None,
            }
        };
        Edges {
            width: self.width,
            values: (0..self.values.len()).map(edge).collect(),
        }
    }
}

/// Whether it becomes brighter or darker within a pixel of a place, going down.
#[derive(Clone, Copy, PartialEq)]
enum Edge {
    Rising,
    Falling,
    None,
}

/// The edges of a picture, told once: lines of every slant cross each place.
struct Edges {
    width: usize,
    values: Vec<Edge>,
}

impl Edges {
    fn at(&self, x: usize, y: f32) -> Edge {
        // Rounds towards 0, as far as that is a row.
        let Ok(y) = usize::try_from(y as isize) else {
            return Edge::None;
        };
        let edge = self.values.get(y * self.width + x);
        edge.copied().unwrap_or(Edge::None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bright square from `from` to `to` on dark ground, 300 pixels wide.
    fn framed(from: usize, to: usize, body: bool) -> f32 {
        let inside = |v: usize| (from..to).contains(&v);
        let data = (0..300 * 300)
            .flat_map(|i| {
                let (x, y) = (i % 300, i / 300);
                // A body hides what is behind it, below shoulders that slope.
                let shoulder = 190.0 + 0.6 * (x as f32 - 150.0).abs();
                let hidden = body && y as f32 > shoulder;
                [if hidden {
                    140
                } else if inside(x) && inside(y) {
                    180
                } else {
                    30
                }; 3]
            })
            .collect();
        let image = Image::new(300, 300, data).unwrap();
        bezel(&image, Point::new(120.0, 100.0), Point::new(180.0, 180.0))
    }

    #[test]
    fn a_frame_around_the_face_is_seen() {
        assert!(framed(40, 260, false) > 0.9);
    }

    #[test]
    fn a_picture_on_the_wall_behind_a_person_is_none() {
        assert!(framed(40, 260, true) < 0.5);
    }

    #[test]
    fn no_edges_no_frame() {
        assert_eq!(framed(0, 300, false), 0.0);
    }
}
