//! The networks of a pack, and the steps from a photo to its template.

use std::path::Path;

use crate::align::Place;
use crate::detect::{Detector, Found};
use crate::embed::Embedder;
use crate::find::{Judges, Search};
use crate::geometry::{Point, Similarity};
use crate::image::{self, Image, Limits};
use crate::landmarks::Landmarker;
use crate::mesh::{self, Mesh, Mesher};
use crate::net::NetError;
use crate::pack::manifest::{self, Manifest};
use crate::quality;
use crate::timings::{Stages, Timings};
use crate::{PackError, PackInfo, PhotoError, PoorReason, Template};

/// Middle of a face in dlib's mean shape.
const FACE_MIDDLE: Point = Point::new(0.49, 0.45);
/// How faces are turned on trial when landmarks and mesh do not agree, in degrees.
const TURNS: [f32; 3] = [90.0, -90.0, 180.0];

fn no_mesh() -> PhotoError {
    PhotoError::Internal("the mesh network is gone".into())
}

/// The engine that runs a pack's networks. Calls may be concurrent; each uses one core.
pub struct Engine {
    pub(crate) info: PackInfo,
    limits: Limits,
    detectors: Vec<Detector>,
    /// Without one, faces are placed by the five points that the detector gives.
    landmarker: Option<Landmarker>,
    mesher: Option<Mesher>,
    embedder: Embedder,
    pub(crate) stages: Stages,
}

impl Engine {
    /// Loads the pack in folder `dir`.
    ///
    /// # Errors
    /// [`PackError`] names the file and what is wrong with it.
    pub fn load(dir: &Path) -> Result<Self, PackError> {
        let manifest = Manifest::read(dir)?;
        let detectors = manifest
            .detectors
            .iter()
            .map(|spec| {
                part(dir, &spec.file, &spec.sha256, |bytes| {
                    Detector::load(bytes, spec)
                })
            })
            .collect::<Result<_, _>>()?;
        let landmarker = manifest.landmarks.as_ref().map(|points| {
            part(dir, &points.file, &points.sha256, |bytes| {
                Landmarker::load(bytes, points)
            })
        });
        let mesher = manifest.mesh.as_ref().map(|mesh| {
            part(dir, &mesh.file, &mesh.sha256, |bytes| {
                Mesher::load(bytes, mesh)
            })
        });
        let embedder = Embedder::load(&manifest.embedding, |spec, load| {
            part(dir, &spec.file, &spec.sha256, load)
        });
        Ok(Self {
            detectors,
            landmarker: landmarker.transpose()?,
            mesher: mesher.transpose()?,
            embedder: embedder?,
            info: manifest.info(),
            limits: Limits::default(),
            stages: Stages::default(),
        })
    }

    /// The same engine with other limits on photos.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// How long each part of its work took so far.
    #[must_use]
    pub fn timings(&self) -> Timings {
        Timings {
            decode: self.stages.decode.work(),
            detect: self.stages.detect.work(),
            landmarks: self.stages.landmarks.work(),
            embed: self.stages.embed.work(),
            screen: self.stages.screen.work(),
            skin: self.stages.skin.work(),
            detector_nets: self.detectors.iter().map(Detector::work).collect(),
            landmark_net: self
                .landmarker
                .as_ref()
                .map(Landmarker::work)
                .unwrap_or_default(),
            mesh_net: self.mesher.as_ref().map(Mesher::work).unwrap_or_default(),
            recognition_net: self.embedder.work(),
        }
    }
}

impl Engine {
    /// Who looks for faces, and what that may cost.
    fn search(&self) -> Search<'_> {
        let (landmarker, mesher) = (self.landmarker.as_ref(), self.mesher.as_ref());
        let judges = landmarker
            .zip(mesher)
            .map(|(landmarker, mesher)| Judges { landmarker, mesher });
        let usual = [
            self.detectors.first().map(Detector::cost),
            landmarker.map(|net| 2 * net.cost()),
            mesher.map(Mesher::cost),
            Some(self.embedder.cost()),
        ];
        Search {
            detectors: &self.detectors,
            judges,
            usual: usual.into_iter().flatten().sum(),
        }
    }

    /// How a found face lies in the picture.
    fn place(&self, image: &Image, face: &Found) -> Result<Place, PhotoError> {
        match (&self.landmarker, face.points) {
            (Some(landmarker), _) => landmarker.place(image, face.area, face.turn),
            (None, Some(five)) => Place::of_five(five)
                .ok_or_else(|| PhotoError::Internal("the face's points fall together".into())),
            // The manifest's checks leave no such pack.
            (None, None) => Err(PhotoError::Internal("nothing tells a face's points".into())),
        }
    }
}

/// Reads one file of the pack and makes a part of the engine of it.
fn part<T>(
    dir: &Path,
    file: &str,
    sha256: &str,
    load: impl FnOnce(&[u8]) -> Result<T, NetError>,
) -> Result<T, PackError> {
    let bytes = manifest::read_checked(dir, file, sha256)?;
    load(&bytes).map_err(|problem| PackError::new(&dir.join(file), problem))
}

/// The steps on the way, for one photo as for a scan.
impl Engine {
    /// The pixels of a photo.
    pub(crate) fn open(&self, photo: &[u8]) -> Result<Image, PhotoError> {
        let decode = || image::decode(photo, &self.limits);
        self.stages.decode.time(decode)
    }

    /// How the one face of the picture lies in it.
    pub(crate) fn find(&self, image: &Image) -> Result<Place, PhotoError> {
        let face = self
            .stages
            .detect
            .time(|| self.search().the_face(image))
            .map_err(|e| match (e, quality::unseen(image)) {
                (PhotoError::NoFace, Some(reason)) => PhotoError::Poor(reason),
                (e, _) => e,
            })?;
        let place = || self.place(image, &face);
        self.stages.landmarks.time(place)
    }

    /// The same for a face that lay about as `near` says a moment ago; anywhere, where the pack has no
    /// network that follows faces.
    pub(crate) fn find_near(&self, image: &Image, near: Similarity) -> Result<Place, PhotoError> {
        let Some(landmarker) = &self.landmarker else {
            return self.find(image);
        };
        let place = || landmarker.refined(image, near);
        self.stages.landmarks.time(place)
    }

    /// A found face with its mesh, where the pack has a network for it.
    ///
    /// Landmarks slip off faces that are blurred by motion or open their mouths wide. Where they and the mesh
    /// disagree, they get a second chance at the place that the mesh tells, and then the mesh has the word.
    pub(crate) fn settled(
        &self,
        image: &Image,
        place: Place,
    ) -> Result<(Place, Option<Mesh>), PhotoError> {
        let Some(mesh) = self.mesh(image, place.shape)? else {
            return Ok((place, None));
        };
        let (place, mesh) = self.agreed(image, place, mesh)?;
        if mesh.lies_on(&place) {
            return Ok((place, Some(mesh)));
        }
        // A box that fits badly hides how a face is turned, and networks see upright faces everywhere.
        for degrees in TURNS {
            let turned = self.find_near(image, place.shape.turned(degrees, FACE_MIDDLE))?;
            let mesh = self.mesh(image, turned.shape)?.ok_or_else(no_mesh)?;
            let (turned, mesh) = self.agreed(image, turned, mesh)?;
            if mesh.lies_on(&turned) {
                return Ok((turned, Some(mesh)));
            }
        }
        Ok((place, Some(mesh)))
    }

    /// Landmarks and mesh after the second chance.
    fn agreed(&self, image: &Image, place: Place, mesh: Mesh) -> Result<(Place, Mesh), PhotoError> {
        if mesh.confidence < mesh::SURE || place.fits(&mesh.five()) {
            return Ok((place, mesh));
        }
        let Some(told) = Place::of_five(mesh.five()) else {
            return Ok((place, mesh));
        };
        let again = self.find_near(image, told.shape)?;
        let place = if again.fits(&told.five) { again } else { told };
        let mesh = self.mesh(image, place.shape)?.ok_or_else(no_mesh)?;
        Ok((place, mesh))
    }

    fn mesh(&self, image: &Image, shape: Similarity) -> Result<Option<Mesh>, PhotoError> {
        let mesher = self.mesher.as_ref();
        let mesh = || mesher.map(|net| net.mesh(image, shape)).transpose();
        self.stages.landmarks.time(mesh)
    }

    /// The template of the face, if it is good enough to be compared.
    pub(crate) fn template_of(
        &self,
        image: &Image,
        place: &Place,
        mesh: Option<&Mesh>,
    ) -> Result<Template, PhotoError> {
        self.stages.embed.time(|| {
            let chips = self.embedder.chips(image, place)?;
            let quality = self.embedder.quality(&chips, place.shape.scale())?;
            let hidden = |mesh: &Mesh| {
                quality::hidden(image, mesh)
                    .or_else(|| (!mesh.lies_on(place)).then_some(PoorReason::TurnedAway))
            };
            let flaw = quality.flaw().or_else(|| mesh.and_then(hidden));
            match flaw {
                Some(reason) => Err(PhotoError::Poor(reason)),
                None => self.embedder.template(&self.info, &chips),
            }
        })
    }

    /// A rough template of the face, however good it is.
    pub(crate) fn sketch_of(&self, image: &Image, place: &Place) -> Result<Template, PhotoError> {
        self.stages.embed.time(|| {
            let chips = self.embedder.chips(image, place)?;
            self.embedder.sketch(&self.info, &chips)
        })
    }
}

#[cfg(test)]
mod tests;
