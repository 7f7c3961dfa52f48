//! The whole way from photo to template.

use std::path::Path;

use crate::{PackError, PackInfo, PhotoError, Template};

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

/// The engine that runs a pack's models.
pub struct Engine {
    info: PackInfo,
}

impl Engine {
    /// Loads the pack in folder `dir`.
    ///
    /// # Errors
    /// [`PackError`] names the file and what is wrong with it.
    pub fn load(dir: &Path) -> Result<Self, PackError> {
        Err(PackError::new(dir, "cannot be run by this build yet"))
    }
}

impl FaceEngine for Engine {
    fn pack(&self) -> &PackInfo {
        &self.info
    }

    fn template(&self, _photo: &[u8]) -> Result<Template, PhotoError> {
        Err(PhotoError::Internal("no model is wired in yet".into()))
    }
}
