//! How a face lies in a picture, by the points of it that are known.

use crate::geometry::{Point, Similarity};
use crate::points::{COUNT, FivePoints, Points};

/// dlib's mean face shape: points 17 to 67 of the 68, in units of the face box
/// (the constants of dlib's `image_transforms/interpolation.h`).
const MEAN_X: [f32; 51] = [
    0.000213256,
    0.0752622,
    0.18113,
    0.29077,
    0.393397,
    0.586856,
    0.689483,
    0.799124,
    0.904991,
    0.98004,
    0.490127,
    0.490127,
    0.490127,
    0.490127,
    0.36688,
    0.426036,
    0.490127,
    0.554217,
    0.613373,
    0.121737,
    0.187122,
    0.265825,
    0.334606,
    0.260918,
    0.182743,
    0.645647,
    0.714428,
    0.793132,
    0.858516,
    0.79751,
    0.719335,
    0.254149,
    0.340985,
    0.428858,
    0.490127,
    0.551395,
    0.639268,
    0.726104,
    0.642159,
    0.556721,
    0.490127,
    0.423532,
    0.338094,
    0.290379,
    0.428096,
    0.490127,
    0.552157,
    0.689874,
    0.553364,
    0.490127,
    0.42689,
];
const MEAN_Y: [f32; 51] = [
    0.106454, 0.038915, 0.0187482, 0.0344891, 0.0773906, 0.0773906, 0.0344891, 0.0187482, 0.038915,
    0.106454, 0.203352, 0.307009, 0.409805, 0.515625, 0.587326, 0.609345, 0.628106, 0.609345,
    0.587326, 0.216423, 0.178758, 0.179852, 0.231733, 0.245099, 0.244077, 0.231733, 0.179852,
    0.178758, 0.216423, 0.244077, 0.245099, 0.780233, 0.745405, 0.727388, 0.742578, 0.727388,
    0.745405, 0.780233, 0.864805, 0.902192, 0.909281, 0.902192, 0.864805, 0.784792, 0.778746,
    0.785343, 0.778746, 0.784792, 0.824182, 0.831803, 0.824182,
];
/// The first point the shape has.
const FIRST: usize = 17;

/// Whether a point takes part: nose, eyes and upper lip do. Brows and lower lip move too much with
/// the face's expression, and dlib leaves them out as well.
const fn takes_part(point: usize) -> bool {
    matches!(point, 27..=54 | 60..=64)
}

/// The transform from the mean shape, in units of the face box, to the face in the picture.
/// `None` if the points do not spread.
pub fn shape_to_face(points: &Points) -> Option<Similarity> {
    let pairs = MEAN_X
        .iter()
        .zip(&MEAN_Y)
        .enumerate()
        .filter_map(|(i, (x, y))| {
            let point = FIRST + i;
            takes_part(point).then_some((Point::new(*x, *y), *points.get(point)?))
        });
    Similarity::fit(pairs).filter(|t| t.scale().is_finite() && t.scale() > f32::MIN_POSITIVE)
}

/// Farthest that two readings of a place lie apart if both are right, in units of the face box.
const SAME_PLACE: f32 = 0.08;

/// How a face lies in the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// From dlib's mean shape, in units of the face box, to the picture.
    pub shape: Similarity,
    /// In the picture's pixels.
    pub five: FivePoints,
}

impl Place {
    /// Where a face with these 68 points lies. `None` if the points do not spread.
    pub fn of_68(points: &Points) -> Option<Self> {
        Some(Self {
            shape: shape_to_face(points)?,
            five: five_of(points),
        })
    }

    /// Where a face with these five points lies. `None` if the points do not spread.
    pub fn of_five(five: FivePoints) -> Option<Self> {
        Some(Self {
            shape: shape_to_five(&five)?,
            five,
        })
    }

    /// Whether other points of the same face tell the same place.
    pub fn fits(&self, others: &FivePoints) -> bool {
        self.apart(others) <= SAME_PLACE
    }

    /// Root mean square of the five points' distances, in units of the face box.
    fn apart(&self, others: &FivePoints) -> f32 {
        let pairs = self.five.iter().zip(others);
        let square: f32 = pairs
            .map(|(a, b)| (a.x - b.x).powi(2) + (a.y - b.y).powi(2))
            .sum();
        (square / self.five.len() as f32).sqrt() / self.shape.scale()
    }
}

/// The five points among the 68: the middle of each eye's six points, tip of the nose, corners of the mouth.
fn five_of(points: &Points) -> FivePoints {
    let middle = |range: std::ops::Range<usize>| {
        let count = range.len() as f32;
        let sum = points.iter().take(range.end).skip(range.start);
        let sum = sum.fold(Point::default(), |s, p| Point::new(s.x + p.x, s.y + p.y));
        Point::new(sum.x / count, sum.y / count)
    };
    [
        middle(36..42),
        middle(42..48),
        points[30],
        points[48],
        points[54],
    ]
}

/// The transform from dlib's mean shape, in units of the face box, to a face of which five points are known.
/// `None` if the points do not spread.
fn shape_to_five(five: &FivePoints) -> Option<Similarity> {
    let mut mean = [Point::default(); COUNT];
    for ((point, x), y) in mean.iter_mut().skip(FIRST).zip(&MEAN_X).zip(&MEAN_Y) {
        *point = Point::new(*x, *y);
    }
    fit(five_of(&mean), five)
}

/// The transform that brings five points nearest to others; `None` if they do not spread.
pub fn fit(from: FivePoints, to: &FivePoints) -> Option<Similarity> {
    Similarity::fit(from.into_iter().zip(to.iter().copied()))
        .filter(|t| t.scale().is_finite() && t.scale() > f32::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_face(at: Similarity) -> Points {
        let mut points = [Point::default(); COUNT];
        for i in 0..51 {
            points[FIRST + i] = at.apply(Point::new(MEAN_X[i], MEAN_Y[i]));
        }
        points
    }

    #[test]
    fn the_mean_face_lies_on_itself() {
        let at = Similarity {
            a: 90.0,
            b: 30.0,
            tx: 400.0,
            ty: 200.0,
        };
        let found = shape_to_face(&mean_face(at)).unwrap();
        assert!(
            (found.a - at.a).abs() < 0.01 && (found.b - at.b).abs() < 0.01,
            "{found:?}"
        );
    }

    #[test]
    fn five_points_place_a_face_as_68_do() {
        let at = Similarity {
            a: 80.0,
            b: -25.0,
            tx: 300.0,
            ty: 150.0,
        };
        let five = five_of(&mean_face(at));
        let found = shape_to_five(&five).unwrap();
        assert!((found.a - at.a).abs() < 0.01 && (found.ty - at.ty).abs() < 0.01);
    }

    #[test]
    fn points_in_one_place_have_no_alignment() {
        assert!(shape_to_face(&[Point::new(3.0, 3.0); COUNT]).is_none());
    }
}
