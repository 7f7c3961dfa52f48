//! The face as a net of 468 points with depth, in MediaPipe's order (its canonical face model).
//!
//! The 68 landmarks say where a face is; the mesh says how the head is turned and what eyes and mouth
//! do, which is what liveness asks. A pack without this network can compare faces but not prove life.

use crate::geometry::{Point, Similarity};
use crate::place::Place;
use crate::points::FivePoints;

/// Number of points of the mesh.
pub const COUNT: usize = 468;

/// The square the network looks at, in units of dlib's mean shape: its middle and its side. A quarter
/// of the face's height around the face, as the network was trained.
const CENTER: Point = Point::new(0.49, 0.52);
const SIDE: f32 = 1.9;

/// From this confidence on the mesh lies on a face.
pub const SURE: f32 = 0.9;

/// Points of the mesh that are used by name. Left and right are the person's own.
pub mod at {
    /// Outer and inner corner of the right eye.
    pub const RIGHT_EYE: [usize; 2] = [33, 133];
    /// Inner and outer corner of the left eye.
    pub const LEFT_EYE: [usize; 2] = [362, 263];
    /// Upper and lower lid, two pairs an eye.
    pub const RIGHT_LIDS: [[usize; 2]; 2] = [[160, 144], [158, 153]];
    /// The same of the left eye.
    pub const LEFT_LIDS: [[usize; 2]; 2] = [[387, 373], [385, 380]];
    /// Right and left corner of the mouth.
    pub const MOUTH: [usize; 2] = [61, 291];
    /// Inner edge of upper and lower lip.
    pub const LIPS: [usize; 2] = [13, 14];
    /// Tip of the nose.
    pub const NOSE: usize = 4;
    /// Where the face's outline meets the ears.
    pub const RIGHT_CHEEK: usize = 234;
    /// The same on the left.
    pub const LEFT_CHEEK: usize = 454;
    /// Middle of the hairline.
    pub const FOREHEAD: usize = 10;
    /// Where the nose meets the upper lip.
    pub const SUBNASALE: usize = 2;
    /// Lowest point of the chin.
    pub const CHIN: usize = 152;
}

/// The points that [`at`] names, in their order: all that a small network gives.
pub const NAMED: [usize; 22] = [
    2, 4, 10, 13, 14, 33, 61, 133, 144, 152, 153, 158, 160, 234, 263, 291, 362, 373, 380, 385, 387,
    454,
];

/// The points of one face.
pub struct Mesh {
    /// In the picture's pixels; depth too, smaller is nearer to the camera.
    points: Vec<[f32; 3]>,
    /// How sure the network is that it sees a face, 0 to 1.
    pub confidence: f32,
}

impl Mesh {
    /// Where point number `i` lies in the picture. Numbers are those of [`at`], below [`COUNT`].
    pub fn point(&self, i: usize) -> Point {
        let [x, y, _] = self.deep(i);
        Point::new(x, y)
    }

    /// Point number `i` with its depth.
    pub fn deep(&self, i: usize) -> [f32; 3] {
        self.points.get(i).copied().unwrap_or_default()
    }

    /// Eyes, nose and corners of the mouth as one looks at the face.
    pub fn five(&self) -> FivePoints {
        let middle = |[a, b]: [usize; 2]| {
            let (a, b) = (self.point(a), self.point(b));
            Point::new((a.x + b.x) / 2.0, (a.y + b.y) / 2.0)
        };
        let [right, left] = at::MOUTH.map(|i| self.point(i));
        [
            middle(at::RIGHT_EYE),
            middle(at::LEFT_EYE),
            self.point(at::NOSE),
            right,
            left,
        ]
    }

    /// Whether the network is sure of a face and sees it where, and as, the landmarks do.
    pub fn lies_on(&self, place: &Place) -> bool {
        self.confidence >= SURE && place.fits(&self.five())
    }

    /// All points, without depth.
    pub fn outline(&self) -> impl Iterator<Item = Point> {
        self.points.iter().map(|[x, y, _]| Point::new(*x, *y))
    }

    /// A mesh of points in the picture's pixels, of which the network is sure.
    pub fn of(points: Vec<[f32; 3]>) -> Self {
        Self {
            points,
            confidence: 1.0,
        }
    }

    /// The mesh that a network saw in a [square] of a picture, by its numbers: three a point, in the square's
    /// pixels.
    pub fn read(numbers: &[f32], confidence: f32, to_source: Similarity) -> Self {
        let scale = to_source.scale();
        let points = numbers.as_chunks::<3>().0.iter().map(|&[x, y, z]| {
            let Point { x, y } = to_source.apply(Point::new(x, y));
            [x, y, z * scale]
        });
        Self {
            points: points.collect(),
            confidence,
        }
    }

    /// The same by the numbers of the [named](NAMED) points; the others lie nowhere.
    pub fn read_named(numbers: &[f32], confidence: f32, to_source: Similarity) -> Self {
        let some = Self::read(numbers, confidence, to_source);
        let mut points = vec![[f32::NAN; 3]; COUNT];
        for (i, point) in NAMED.into_iter().zip(some.points) {
            points[i] = point;
        }
        Self { points, confidence }
    }
}

/// From the network's square of `side` pixels to the picture, for a face on which dlib's mean shape lies as `shape`.
pub fn square(shape: Similarity, side: usize) -> Similarity {
    let unit = SIDE / side as f32;
    let corner = shape.apply(Point::new(CENTER.x - SIDE / 2.0, CENTER.y - SIDE / 2.0));
    Similarity {
        a: shape.a * unit,
        b: shape.b * unit,
        tx: corner.x,
        ty: corner.y,
    }
}
