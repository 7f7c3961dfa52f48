//! The whole way from photo to template.

use std::path::Path;

use crate::align::Place;
use crate::detect::{Detector, Found};
use crate::embed::Embedder;
use crate::image::{self, Image, Limits};
use crate::landmarks::Landmarker;
use crate::net::NetError;
use crate::pack::manifest::{self, Manifest};
use crate::quality::{self, Quality};
use crate::spent::{Spent, Stages};
use crate::{PackError, PackInfo, PhotoError, Template, find};

/// Turns photos into templates. One seam, so that tests can put a scripted engine in its place.
pub trait FaceEngine: Send + Sync {
    /// The pack this engine runs: name, version, thresholds.
    fn pack(&self) -> &PackInfo;

    /// The template of the one face in `photo`, the bytes of an image file.
    ///
    /// Takes tens of milliseconds of one core; call it off the async threads.
    ///
    /// # Errors
    /// [`PhotoError`] says why there is no template.
    fn template(&self, photo: &[u8]) -> Result<Template, PhotoError>;
}

/// The engine that runs a pack's networks. Calls may be concurrent; each uses one core.
pub struct Engine {
    info: PackInfo,
    limits: Limits,
    detectors: Vec<Detector>,
    /// Without one, faces are placed by the five points that the detector gives.
    landmarker: Option<Landmarker>,
    embedder: Embedder,
    stages: Stages,
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
        let faces = &manifest.embedding;
        Ok(Self {
            detectors,
            landmarker: landmarker.transpose()?,
            embedder: part(dir, &faces.file, &faces.sha256, |bytes| {
                Embedder::load(bytes, faces)
            })?,
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

    /// What this engine has spent its time on so far.
    #[must_use]
    pub fn spent(&self) -> Spent {
        Spent {
            decode: self.stages.decode.work(),
            detect: self.stages.detect.work(),
            landmarks: self.stages.landmarks.work(),
            embed: self.stages.embed.work(),
            detector_nets: self.detectors.iter().map(Detector::work).collect(),
            landmark_net: self
                .landmarker
                .as_ref()
                .map(Landmarker::work)
                .unwrap_or_default(),
            recognition_net: self.embedder.work(),
        }
    }
}

impl Engine {
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

impl FaceEngine for Engine {
    fn pack(&self) -> &PackInfo {
        &self.info
    }

    fn template(&self, photo: &[u8]) -> Result<Template, PhotoError> {
        let Stages {
            decode,
            detect,
            landmarks,
            embed,
        } = &self.stages;
        let image = decode.time(|| image::decode(photo, &self.limits))?;
        let face = detect
            .time(|| find::the_face(&self.detectors, &image))
            .map_err(|e| match (e, quality::unseen(&image)) {
                (PhotoError::NoFace, Some(reason)) => PhotoError::Poor(reason),
                (e, _) => e,
            })?;
        let place = landmarks.time(|| self.place(&image, &face))?;
        embed.time(|| {
            let chip = self.embedder.chip(&image, &place)?;
            let quality = Quality::measure(&chip, self.embedder.padding(), place.shape.scale());
            match quality.flaw() {
                Some(reason) => Err(PhotoError::Poor(reason)),
                None => self.embedder.template(&self.info, &chip),
            }
        })
    }
}

#[cfg(test)]
mod finding;
#[cfg(test)]
mod parity;
