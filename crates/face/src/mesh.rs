//! The face as a net of 468 points with depth, in MediaPipe's order (its canonical face model).
//!
//! The 68 landmarks say where a face is; the mesh says how the head is turned and what eyes and mouth
//! do, which is what liveness asks. A pack without this network can compare faces but not prove life.

use crate::PhotoError;
use crate::align::Place;
use crate::geometry::{Point, Similarity};
use crate::image::Image;
use crate::net::{Net, NetError};
use crate::pack::manifest::{MeshKind, MeshSpec};
use crate::points::FivePoints;

/// Number of points of the mesh.
pub(crate) const COUNT: usize = 468;

/// The square the network looks at, in units of dlib's mean shape: its middle and its side. A quarter
/// of the face's height around the face, as the network was trained.
const CENTER: Point = Point::new(0.49, 0.52);
const SIDE: f32 = 1.9;

/// From this confidence on the mesh lies on a face.
pub(crate) const SURE: f32 = 0.9;

/// Points of the mesh that are used by name. Left and right are the person's own.
pub(crate) mod at {
    /// Outer and inner corner of the right eye.
    pub(crate) const RIGHT_EYE: [usize; 2] = [33, 133];
    /// Inner and outer corner of the left eye.
    pub(crate) const LEFT_EYE: [usize; 2] = [362, 263];
    /// Upper and lower lid, two pairs an eye.
    pub(crate) const RIGHT_LIDS: [[usize; 2]; 2] = [[160, 144], [158, 153]];
    /// The same of the left eye.
    pub(crate) const LEFT_LIDS: [[usize; 2]; 2] = [[387, 373], [385, 380]];
    /// Right and left corner of the mouth.
    pub(crate) const MOUTH: [usize; 2] = [61, 291];
    /// Inner edge of upper and lower lip.
    pub(crate) const LIPS: [usize; 2] = [13, 14];
    /// Tip of the nose.
    pub(crate) const NOSE: usize = 4;
    /// Where the face's outline meets the ears.
    pub(crate) const RIGHT_CHEEK: usize = 234;
    /// The same on the left.
    pub(crate) const LEFT_CHEEK: usize = 454;
    /// Middle of the hairline.
    pub(crate) const FOREHEAD: usize = 10;
    /// Where the nose meets the upper lip.
    pub(crate) const SUBNASALE: usize = 2;
    /// Lowest point of the chin.
    pub(crate) const CHIN: usize = 152;
}

/// The points of one face.
pub(crate) struct Mesh {
    /// In the picture's pixels; depth too, smaller is nearer to the camera.
    points: Vec<[f32; 3]>,
    /// How sure the network is that it sees a face, 0 to 1.
    pub confidence: f32,
}

impl Mesh {
    /// Where point number `i` lies in the picture. Numbers are those of [`at`], below [`COUNT`].
    pub(crate) fn point(&self, i: usize) -> Point {
        let [x, y, _] = self.deep(i);
        Point::new(x, y)
    }

    /// Point number `i` with its depth.
    pub(crate) fn deep(&self, i: usize) -> [f32; 3] {
        self.points.get(i).copied().unwrap_or_default()
    }

    /// Eyes, nose and corners of the mouth as one looks at the face.
    pub(crate) fn five(&self) -> FivePoints {
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
    pub(crate) fn lies_on(&self, place: &Place) -> bool {
        self.confidence >= SURE && place.fits(&self.five())
    }

    /// All points, without depth.
    pub(crate) fn outline(&self) -> impl Iterator<Item = Point> {
        self.points.iter().map(|[x, y, _]| Point::new(*x, *y))
    }

    #[cfg(test)]
    pub(crate) fn of(points: Vec<[f32; 3]>) -> Self {
        Self {
            points,
            confidence: 1.0,
        }
    }
}

/// The network that lays the mesh onto a face.
pub(crate) struct Mesher {
    net: Net,
}

impl Mesher {
    pub(crate) fn load(bytes: &[u8], spec: &MeshSpec) -> Result<Self, NetError> {
        let MeshKind::Mesh468 = spec.kind;
        let outputs: [&[usize]; 2] = [&[1, 3 * COUNT], &[1, 1]];
        Ok(Self {
            net: Net::load(bytes, spec.input.clone(), &outputs)?,
        })
    }

    /// The mesh of the face on which dlib's mean shape lies as `shape`.
    pub(crate) fn mesh(&self, image: &Image, shape: Similarity) -> Result<Mesh, PhotoError> {
        let side = self.net.side();
        let unit = SIDE / side as f32;
        let corner = shape.apply(Point::new(CENTER.x - SIDE / 2.0, CENTER.y - SIDE / 2.0));
        let to_source = Similarity {
            a: shape.a * unit,
            b: shape.b * unit,
            tx: corner.x,
            ty: corner.y,
        };
        let outputs = self.net.run(&image.warped(to_source, side)?)?;
        let [mesh, confidence] = outputs.as_slice() else {
            return Err(PhotoError::Internal("the mesh has another shape".into()));
        };
        let scale = to_source.scale();
        let points = mesh
            .as_chunks::<3>()
            .0
            .iter()
            .map(|&[x, y, z]| {
                let Point { x, y } = to_source.apply(Point::new(x, y));
                [x, y, z * scale]
            })
            .collect();
        Ok(Mesh {
            points,
            confidence: confidence.first().copied().unwrap_or(0.0),
        })
    }
}
