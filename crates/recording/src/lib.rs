//! Recordings of a person: the frames of a video, which ffmpeg reads, or of a folder, and where in them the person
//! does something.
//!
//! Who gives a recording may be mistaken about it, so all that is read is bounded: [`Bounds`] says by how much.

mod bounds;
mod error;
mod folder;
mod mjpeg;
mod moments;
mod video;

use std::path::Path;

pub use bounds::{Bounds, RATE};
pub use error::RecordingError;
pub use folder::{entries, read};
pub use moments::{heights, straightest};
pub use video::is_video;

/// The frames of a video, [`RATE`] a second, or those in a folder in the order of their names. Of a video they are JPEG files.
///
/// # Errors
/// [`RecordingError`] where there are none, too many, or not of a picture each.
pub fn frames(recording: &Path, bounds: &Bounds) -> Result<Vec<Vec<u8>>, RecordingError> {
    let frames = if recording.is_dir() {
        folder::frames(recording, bounds)?
    } else {
        video::frames(recording, bounds)?
    };
    if frames.is_empty() {
        return Err(RecordingError::Empty(recording.to_owned()));
    }
    Ok(frames)
}
