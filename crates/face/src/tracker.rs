//! Following one person's face through the photos of an answer.

use crate::align::Place;
use crate::geometry::{Point, Similarity};
use crate::image::Image;
use crate::mesh::{self, Mesh};
use crate::{Engine, Fingerprint, PhotoError, Template};
use sight::Pose;

/// Farthest a face moves from one frame to the next while it is followed, in units of its own size.
const FARTHEST: f32 = 0.5;

/// Looks at one frame after the other, and first where the face was before.
pub struct FaceTracker<'a> {
    pub(crate) engine: &'a Engine,
    before: Option<(Similarity, usize, usize)>,
    /// Of every photo that was looked at.
    pub(crate) fingerprints: Vec<Fingerprint>,
}

impl<'a> FaceTracker<'a> {
    /// A tracker that has seen nothing yet.
    pub fn new(engine: &'a Engine) -> Self {
        Self {
            engine,
            before: None,
            fingerprints: Vec::new(),
        }
    }

    /// Looks at the next photo, the bytes of an image file.
    ///
    /// # Errors
    /// [`PhotoError`] for what is no photo, and where there is no one face.
    pub fn look(&mut self, photo: &[u8]) -> Result<TrackedFace, PhotoError> {
        let image = self.engine.open(photo)?;
        let (place, mesh) = follow(self.engine, &image, self.before)?;
        self.before = Some((place.shape, image.width(), image.height()));
        self.fingerprints
            .push(Fingerprint::of(&image, place.shape)?);
        Ok(TrackedFace { image, place, mesh })
    }

    /// What tells copies, of every photo in which a face was seen.
    pub fn fingerprints(&self) -> &[Fingerprint] {
        &self.fingerprints
    }
}

/// A picture and the face in it.
pub struct TrackedFace {
    pub(crate) image: Image,
    pub(crate) place: Place,
    pub(crate) mesh: Option<Mesh>,
}

impl TrackedFace {
    pub(crate) fn mesh(&self) -> Result<&Mesh, PhotoError> {
        self.mesh.as_ref().ok_or_else(no_mesh)
    }

    /// How the head is held and what eyes and mouth do.
    ///
    /// # Errors
    /// [`PhotoError::Internal`] where the pack has no face mesh.
    pub fn pose(&self) -> Result<Pose, PhotoError> {
        self.mesh().map(Pose::of)
    }

    /// The points of the face's mesh in MediaPipe's order, in the picture's pixels; the third number is depth, smaller
    /// is nearer to the camera.
    ///
    /// # Errors
    /// [`PhotoError::Internal`] where the pack has no face mesh.
    pub fn points(&self) -> Result<Vec<[f32; 3]>, PhotoError> {
        let mesh = self.mesh()?;
        Ok((0..mesh::COUNT).map(|i| mesh.deep(i)).collect())
    }

    /// The template, if the face is good enough to be compared.
    ///
    /// # Errors
    /// [`PhotoError::Poor`] where it is not.
    pub fn template(&self, engine: &Engine) -> Result<Template, PhotoError> {
        engine.template_of(&self.image, &self.place, self.mesh.as_ref())
    }

    /// The picture that was looked at.
    pub fn into_image(self) -> Image {
        self.image
    }
}

fn no_mesh() -> PhotoError {
    PhotoError::Internal("this pack has no mesh, so it cannot prove life".into())
}

/// Where the face is: near where it was a moment ago, if it is there still, else anywhere.
fn follow(
    engine: &Engine,
    image: &Image,
    before: Option<(Similarity, usize, usize)>,
) -> Result<(Place, Option<Mesh>), PhotoError> {
    if let Some((near, width, height)) = before
        && (width, height) == (image.width(), image.height())
    {
        // Where there is no face any more, the landmarks may fall together; then it is looked for anew.
        if let Ok(place) = engine.find_near(image, near)
            && distance(near, place.shape) <= FARTHEST
        {
            let (place, mesh) = engine.settled(image, place)?;
            if mesh.as_ref().is_some_and(|m| m.confidence >= mesh::SURE) {
                return Ok((place, mesh));
            }
        }
    }
    engine.settled(image, engine.find(image)?)
}

/// How far the middle of a face has moved, in units of its size; infinite if it grew or shrank too much to
/// be the same look.
fn distance(before: Similarity, now: Similarity) -> f32 {
    let middle = |shape: Similarity| shape.apply(Point::new(0.5, 0.5));
    let (from, to) = (middle(before), middle(now));
    let growth = now.scale() / before.scale();
    if (0.7..1.45).contains(&growth) {
        (to.x - from.x).hypot(to.y - from.y) / before.scale()
    } else {
        f32::INFINITY
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn landmarks_that_slipped_are_brought_back() {
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/build");
        let engine = Engine::load(&models.join("default")).expect("run `make models`");
        for person in 1..=6 {
            let photo = models.join(format!("demo-faces/person{person}/01.jpg"));
            let image = engine.open(&std::fs::read(photo).unwrap()).unwrap();
            let found = engine.find(&image).unwrap();
            let far = found.shape.scale() * 0.3;
            let slipped = Place {
                shape: Similarity {
                    tx: found.shape.tx + far,
                    ..found.shape
                },
                five: found.five.map(|p| Point::new(p.x + far, p.y)),
            };
            assert!(!slipped.fits(&found.five));
            let (settled, mesh) = engine.settled(&image, slipped).unwrap();
            assert!(settled.fits(&found.five), "person {person}");
            assert!(settled.fits(&mesh.unwrap().five()));
        }
    }
}
