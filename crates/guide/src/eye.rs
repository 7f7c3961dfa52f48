//! Looks at one picture after the other and follows the face.

use sight::geometry::{Point, Similarity};
use sight::layers::Layers;
use sight::mesh::{self, Mesh, NAMED, SURE, at};
use sight::place::Place;
use sight::{Action, Failed, Image, Pose, Usual, progress};

use crate::places::Places;

/// Side of the network's square, in pixels.
const SIDE: usize = 192;
/// From this confidence on there is something like a face, and a closer look is worth its time.
const LIKELY: f32 = 0.1;
/// Places looked at in one picture: each takes as long as following a face.
const LOOKS: usize = 2;
/// Closer looks at what may be a face.
const CLOSER: usize = 2;
/// A face whose place is told by more than this part of its side elsewhere than where it was looked for is looked at again
/// there: what the network says of a face that it sees from the side of its square is wrong, however sure it is.
const SETTLED: f32 = 0.05;
/// Looks until it is told where it was looked for. One that wanders on is none.
const SETTLING: usize = 4;

/// Follows one face.
pub struct Eye {
    layers: Layers,
    before: Option<Similarity>,
    places: Places,
    last: Option<Pose>,
    usual: Usual,
    straightest: Option<Pose>,
}

/// A face in a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// How sure the network is that it sees a face, 0 to 1.
    pub confidence: f32,
    /// Between hairline and chin, in parts of the picture's width and height.
    pub middle: [f32; 2],
    /// From hairline to chin, in parts of the picture's height.
    pub height: f32,
    /// How it is held.
    pub pose: Pose,
}

impl Eye {
    /// Reads the ONNX file of the small mesh.
    ///
    /// # Errors
    /// What in it is not as expected.
    pub fn load(weights: &[u8]) -> Result<Self, String> {
        let (layers, rest) = Layers::load(weights, SIDE)?;
        if rest.is_some() || layers.shapes() != [vec![1, 3 * NAMED.len()], vec![1, 1]] {
            return Err(format!("is no small mesh: {:?}", layers.shapes()));
        }
        Ok(Self {
            layers,
            before: None,
            places: Places::default(),
            last: None,
            usual: Usual::default(),
            straightest: None,
        })
    }

    /// Forgets who was there: the next picture is of another capture.
    pub fn begin(&mut self) {
        self.before = None;
        self.places.restart();
        self.last = None;
        self.usual = Usual::default();
        self.straightest = None;
    }

    /// The face in the next picture; `None` where none is seen.
    ///
    /// # Errors
    /// [`Failed`] where the picture cannot be drawn smaller.
    pub fn look(&mut self, picture: &Image) -> Result<Option<Seen>, Failed> {
        let found = match self.before {
            Some(shape) => self.settle(picture, shape)?,
            None => None,
        };
        let found = match found {
            None => self.search(picture)?,
            found => found,
        };
        self.before = found.as_ref().map(|(place, _)| place.shape);
        self.last = found.as_ref().map(|(_, mesh)| Pose::of(mesh));
        if found.is_some() {
            self.places.restart();
        }
        Ok(found.map(|(_, mesh)| seen(picture, &mesh)))
    }

    /// Where the face was seen last: from dlib's mean shape to the picture.
    pub fn shape(&self) -> Option<Similarity> {
        self.before
    }

    /// Takes the face that was seen last as one that looks straight ahead: steps are measured against it.
    pub fn keep_straight(&mut self) {
        let Some(pose) = self.last else { return };
        self.usual.see(&pose);
        if self
            .straightest
            .is_none_or(|best| pose.yaw.abs() < best.yaw.abs())
        {
            self.straightest = Some(pose);
        }
    }

    /// How far the face that was seen last does what an action asks for: 0 as straight ahead, 1 and more when done.
    pub fn way(&self, action: Action) -> f32 {
        match (self.last, self.straightest) {
            (Some(pose), Some(straight)) => progress(action, &self.usual.of(straight), &pose),
            (Some(pose), None) => progress(action, &pose, &pose),
            _ => 0.0,
        }
    }

    /// The face near to a place, once it is told where it was looked for.
    fn settle(&self, picture: &Image, near: Similarity) -> Result<Option<(Place, Mesh)>, Failed> {
        let mut shape = near;
        for _ in 0..SETTLING {
            let Some((place, mesh)) = self.sure(picture, shape)? else {
                return Ok(None);
            };
            if moved(shape, place.shape) <= SETTLED {
                return Ok(Some((place, mesh)));
            }
            shape = place.shape;
        }
        Ok(None)
    }

    fn search(&mut self, picture: &Image) -> Result<Option<(Place, Mesh)>, Failed> {
        for _ in 0..LOOKS {
            let mut shape = self.places.next(picture);
            for _ in 0..CLOSER {
                let mesh = self.mesh(picture, shape)?;
                let place = Place::of_five(mesh.five());
                let Some(place) = place.filter(|_| mesh.confidence >= LIKELY) else {
                    break;
                };
                shape = place.shape;
            }
            if let Some(found) = self.settle(picture, shape)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The mesh where a face is supposed, if it lies on one.
    fn sure(&self, picture: &Image, shape: Similarity) -> Result<Option<(Place, Mesh)>, Failed> {
        let mesh = self.mesh(picture, shape)?;
        let place = Place::of_five(mesh.five());
        Ok(place
            .filter(|_| mesh.confidence >= SURE)
            .map(|place| (place, mesh)))
    }

    fn mesh(&self, picture: &Image, shape: Similarity) -> Result<Mesh, Failed> {
        let square = mesh::square(shape, SIDE);
        let chip = picture.warped(square, SIDE)?;
        let outputs = self.layers.run(1, |_, y, row| {
            let pixels = &chip.data()[y * SIDE * 3..][..SIDE * 3];
            for (number, byte) in row.iter_mut().zip(pixels) {
                *number = f32::from(*byte) / 255.0;
            }
        });
        let output = |i: usize| outputs.first().and_then(|of| of.get(i));
        let numbers = output(0).map_or(&[][..], Vec::as_slice);
        let confidence = output(1).and_then(|of| of.first());
        Ok(Mesh::read_named(
            numbers,
            confidence.copied().unwrap_or(0.0),
            square,
        ))
    }
}

fn seen(picture: &Image, mesh: &Mesh) -> Seen {
    let (top, chin) = (mesh.point(at::FOREHEAD), mesh.point(at::CHIN));
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    Seen {
        confidence: mesh.confidence,
        middle: [
            (top.x + chin.x) / 2.0 / width,
            (top.y + chin.y) / 2.0 / height,
        ],
        height: (top.x - chin.x).hypot(top.y - chin.y) / height,
        pose: Pose::of(mesh),
    }
}

/// How far a face has moved, in parts of its side.
fn moved(from: Similarity, to: Similarity) -> f32 {
    let middle = Point::new(0.5, 0.5);
    let (a, b) = (from.apply(middle), to.apply(middle));
    let growth = (to.scale() / from.scale()).max(from.scale() / to.scale()) - 1.0;
    ((a.x - b.x).hypot(a.y - b.y) / from.scale()).max(growth)
}
