//! Points, boxes and similarity transforms. Units are pixels unless said otherwise; x right, y down;
//! a pixel's centre lies at half coordinates.

/// A place in a picture, in its pixels or in units that are named beside it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    /// Grows to the right.
    pub x: f32,
    /// Grows downwards.
    pub y: f32,
}

impl Point {
    /// The point at these coordinates.
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }
}

/// A box whose sides are level and upright.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    /// Its left edge.
    pub x: f32,
    /// Its upper edge.
    pub y: f32,
    /// From its left edge to the right one.
    pub width: f32,
    /// From its upper edge to the lower one.
    pub height: f32,
}

impl Rect {
    /// Side of the square of the same area.
    pub fn side(&self) -> f32 {
        self.area().sqrt()
    }

    /// The point in its middle.
    pub fn center(&self) -> Point {
        Point::new(self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    fn area(&self) -> f32 {
        self.width.max(0.0) * self.height.max(0.0)
    }

    fn common(&self, other: &Self) -> f32 {
        let width = (self.x + self.width).min(other.x + other.width) - self.x.max(other.x);
        let height = (self.y + self.height).min(other.y + other.height) - self.y.max(other.y);
        width.max(0.0) * height.max(0.0)
    }

    /// Common area over joint area, 0 to 1.
    pub fn iou(&self, other: &Self) -> f32 {
        let common = self.common(other);
        let joint = self.area() + other.area() - common;
        if joint > 0.0 { common / joint } else { 0.0 }
    }

    /// Common area over the smaller box's area, 0 to 1: 1 if one lies within the other.
    pub fn overlap(&self, other: &Self) -> f32 {
        let smaller = self.area().min(other.area());
        if smaller > 0.0 {
            self.common(other) / smaller
        } else {
            0.0
        }
    }
}

/// Rotation, uniform scale and shift: `(x, y)` goes to `(a x - b y + tx, b x + a y + ty)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    /// Scale times cosine of the turn.
    pub a: f32,
    /// Scale times sine of the turn.
    pub b: f32,
    /// Where the origin goes, across.
    pub tx: f32,
    /// Where the origin goes, down.
    pub ty: f32,
}

impl Similarity {
    /// Where a point goes.
    pub fn apply(&self, p: Point) -> Point {
        Point::new(
            self.a * p.x - self.b * p.y + self.tx,
            self.b * p.x + self.a * p.y + self.ty,
        )
    }

    /// The same with what it draws turned clockwise by `degrees`; `fixed`, in the units that come in, stays
    /// where it is drawn.
    pub fn turned(&self, degrees: f32, fixed: Point) -> Self {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let (a, b) = (self.a * cos - self.b * sin, self.b * cos + self.a * sin);
        let stays = self.apply(fixed);
        Self {
            a,
            b,
            tx: stays.x - (a * fixed.x - b * fixed.y),
            ty: stays.y - (b * fixed.x + a * fixed.y),
        }
    }

    /// How much longer distances become.
    pub fn scale(&self) -> f32 {
        self.a.hypot(self.b)
    }

    /// The transform that brings `from` nearest to `to` (least squares).
    ///
    /// The closed form without reflection: with both sets centred on their means, `a` and `b` are
    /// the sums of dot and cross products over the spread of `from`. `None` if `from` has no spread.
    pub fn fit(pairs: impl Iterator<Item = (Point, Point)> + Clone) -> Option<Self> {
        let mut n = 0.0_f32;
        let (mut mean_from, mut mean_to) = (Point::default(), Point::default());
        for (from, to) in pairs.clone() {
            n += 1.0;
            mean_from = Point::new(mean_from.x + from.x, mean_from.y + from.y);
            mean_to = Point::new(mean_to.x + to.x, mean_to.y + to.y);
        }
        let mean_from = Point::new(mean_from.x / n, mean_from.y / n);
        let mean_to = Point::new(mean_to.x / n, mean_to.y / n);
        let (mut dot, mut cross, mut spread) = (0.0_f32, 0.0_f32, 0.0_f32);
        for (from, to) in pairs {
            let (fx, fy) = (from.x - mean_from.x, from.y - mean_from.y);
            let (gx, gy) = (to.x - mean_to.x, to.y - mean_to.y);
            dot += fx * gx + fy * gy;
            cross += fx * gy - fy * gx;
            spread += fx * fx + fy * fy;
        }
        if !(spread.is_finite() && spread > f32::MIN_POSITIVE) {
            return None;
        }
        let (a, b) = (dot / spread, cross / spread);
        Some(Self {
            a,
            b,
            tx: mean_to.x - (a * mean_from.x - b * mean_from.y),
            ty: mean_to.y - (b * mean_from.x + a * mean_from.y),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TURN: Similarity = Similarity {
        a: 0.6,
        b: 1.2,
        tx: 5.0,
        ty: -3.0,
    };

    #[test]
    fn fit_finds_the_transform_that_was_applied() {
        let points = [(0.0, 0.0), (10.0, 1.0), (3.0, 8.0)].map(|(x, y)| Point::new(x, y));
        let found = Similarity::fit(points.iter().map(|p| (*p, TURN.apply(*p)))).unwrap();
        for (a, b) in [
            (found.a, 0.6),
            (found.b, 1.2),
            (found.tx, 5.0),
            (found.ty, -3.0),
        ] {
            assert!((a - b).abs() < 1e-4, "{found:?}");
        }
    }

    #[test]
    fn no_spread_has_no_fit() {
        let p = Point::new(1.0, 1.0);
        assert!(Similarity::fit([(p, p), (p, p)].into_iter()).is_none());
        assert!(Similarity::fit(std::iter::empty()).is_none());
    }

    #[test]
    fn boxes_overlap_by_their_common_area() {
        let a = Rect {
            x: 0.0,
            y: 0.0,
            width: 2.0,
            height: 2.0,
        };
        let b = Rect {
            x: 1.0,
            y: 0.0,
            width: 2.0,
            height: 2.0,
        };
        let far = Rect {
            x: 9.0,
            y: 9.0,
            width: 2.0,
            height: 2.0,
        };
        assert!((a.iou(&b) - 1.0 / 3.0).abs() < 1e-6);
        assert!((a.overlap(&b) - 0.5).abs() < 1e-6);
        assert!(a.iou(&far) == 0.0 && a.overlap(&far) == 0.0);
    }
}
