//! Where eyes, nose and mouth are: 68 [points](crate::points) in the iBUG order.

use crate::align::Place;
use crate::geometry::{Point, Rect, Similarity};
use crate::image::{Image, View};
use crate::net::{Net, NetError};
use crate::pack::manifest::{LandmarkKind, LandmarkSpec};
use crate::points::{COUNT, Points};
use crate::timings::Work;
use crate::{PhotoError, align};

/// The square of the second look, in units of dlib's mean shape: its middle and its side.
/// Measured: of squares from 1.3 to 1.9 around it, all within noise, this separated people best.
pub(crate) const CENTER: Point = Point::new(0.49, 0.45);
pub(crate) const SIDE: f32 = 1.35;

/// The network that finds the 68 points.
pub(crate) struct Landmarker {
    net: Net,
}

impl Landmarker {
    pub(crate) fn load(bytes: &[u8], spec: &LandmarkSpec) -> Result<Self, NetError> {
        let LandmarkKind::Points68 = spec.kind;
        Ok(Self {
            net: Net::load(bytes, spec.input.clone(), &[&[1, COUNT, 2]])?,
        })
    }

    /// The network's runs so far.
    pub(crate) fn work(&self) -> Work {
        self.net.work()
    }

    /// What a run of the network costs, in multiplications.
    pub(crate) fn cost(&self) -> u64 {
        self.net.cost()
    }

    /// How the face in `area`, a detector's box, lies in the picture. `turn` is how far it is tilted, in
    /// radians clockwise, as far as the detector knows.
    ///
    /// Detectors frame faces each in their own way and never turn the box; so the face is looked at
    /// twice, the second time upright and framed as the network likes it best.
    pub(crate) fn place(&self, image: &Image, area: Rect, turn: f32) -> Result<Place, PhotoError> {
        let first = align::shape_to_face(&self.in_box(image, area, turn)?).ok_or_else(lost)?;
        self.refined(image, first)
    }

    /// The same for a face that lay about as `near` says: on a first look, or a moment ago.
    pub(crate) fn refined(&self, image: &Image, near: Similarity) -> Result<Place, PhotoError> {
        let unit = SIDE / self.net.side() as f32;
        let corner = near.apply(Point::new(CENTER.x - SIDE / 2.0, CENTER.y - SIDE / 2.0));
        let square = Similarity {
            a: near.a * unit,
            b: near.b * unit,
            tx: corner.x,
            ty: corner.y,
        };
        Place::of_68(&self.in_square(image, square)?).ok_or_else(lost)
    }

    /// The points of the face in `area`: the square around the box's middle.
    fn in_box(&self, image: &Image, area: Rect, turn: f32) -> Result<Points, PhotoError> {
        let view = View {
            center: area.center(),
            side: area.width.max(area.height).max(1.0),
            turn,
        };
        self.in_square(image, view.to_source(self.net.side()))
    }

    /// The points of the face in the square that `to_source` cuts out, the network's side wide.
    fn in_square(&self, image: &Image, to_source: Similarity) -> Result<Points, PhotoError> {
        let side = self.net.side();
        let crop = image.warped(to_source, side)?;
        let outputs = self.net.run(&crop)?;
        let values = outputs
            .first()
            .map(|v| v.as_chunks::<2>().0)
            .unwrap_or_default();
        let points: &[[f32; 2]; COUNT] = values
            .try_into()
            .map_err(|_| PhotoError::Internal("landmarks of the wrong shape".into()))?;
        let scale = side as f32;
        Ok(points.map(|[x, y]| to_source.apply(Point::new(x * scale, y * scale))))
    }
}

fn lost() -> PhotoError {
    PhotoError::Internal("the landmarks fall together".into())
}
