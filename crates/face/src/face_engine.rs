//! What an engine does for its callers: photos to templates, answers to verdicts.

use crate::scan::{self, Asked, Frame, Purpose, Scan};
use crate::{Engine, PackInfo, PhotoError, Template};

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

    /// What the frames of one answer show: whose face, and whether it lives as was asked. The verdict is the same for
    /// every purpose.
    ///
    /// Takes tens of milliseconds of one core a frame; call it off the async threads.
    ///
    /// # Errors
    /// [`PhotoError`] of the first frame that cannot be used.
    fn scan(
        &self,
        frames: &[Frame<'_>],
        asked: Asked<'_>,
        purpose: Purpose,
    ) -> Result<Scan, PhotoError>;
}

impl FaceEngine for Engine {
    fn pack(&self) -> &PackInfo {
        &self.info
    }

    fn template(&self, photo: &[u8]) -> Result<Template, PhotoError> {
        let image = self.open(photo)?;
        let (place, mesh) = self.settled(&image, self.find(&image)?)?;
        self.template_of(&image, &place, mesh.as_ref())
    }

    fn scan(
        &self,
        frames: &[Frame<'_>],
        asked: Asked<'_>,
        purpose: Purpose,
    ) -> Result<Scan, PhotoError> {
        scan::scan(self, frames, asked, purpose)
    }
}
