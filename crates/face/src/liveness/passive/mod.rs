//! What one picture alone gives away: a screen's grid, or its frame.
//!
//! Two published passive networks (`antispoof` and `liveness` of the npm package `@vladmandic/human`) were
//! tried first and are not used: on the same faces live, printed and on a screen their scores do not
//! differ (medians 0.74 and 0.71, both overlapping wholly).

mod bezel;
mod grid;

use crate::geometry::Point;
use crate::image::Image;
use crate::mesh::{Mesh, at};

/// From this on the grid of a screen is there.
const GRID: f32 = 160.0;

/// What one picture alone gives away.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Passive {
    /// How far the strongest peak of the face's spectrum stands out, a ratio of powers.
    pub grid: f32,
    /// How much of a frame around the face is there, 0 to 1.
    pub bezel: f32,
}

impl Passive {
    /// Looks at the face in a picture.
    pub(crate) fn of(image: &Image, mesh: &Mesh) -> Self {
        let (mut low, mut high) = (mesh.point(at::CHIN), mesh.point(at::CHIN));
        for p in mesh.outline() {
            low = Point::new(low.x.min(p.x), low.y.min(p.y));
            high = Point::new(high.x.max(p.x), high.y.max(p.y));
        }
        let center = Point::new((low.x + high.x) / 2.0, (low.y + high.y) / 2.0);
        Self {
            grid: grid::grid(image, center, high.x - low.x, high.y - low.y),
            bezel: bezel::bezel(image, low, high),
        }
    }

    /// Whether the picture shows a screen rather than a face.
    pub(crate) fn shows_a_screen(&self) -> bool {
        self.grid >= GRID || self.bezel >= bezel::LEAST
    }
}
