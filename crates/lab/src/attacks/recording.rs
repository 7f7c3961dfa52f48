//! Recordings of people: what of a folder can be looked through.

use std::path::{Path, PathBuf};

use recording::{Bounds, entries, frames, is_video};

/// Whoever measures brings long recordings on purpose: five minutes of each person, as large as they are.
const BOUNDS: Bounds = Bounds {
    frames: 3_000,
    video: 2_000_000_000,
    memory: 2_000_000_000,
    side: None,
};
/// Most people.
const PEOPLE: usize = 10_000;

/// Why recordings could not be read: a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// The folder holds nothing that could be a recording.
    #[error(
        "{}: no recordings. Put videos (mp4, mov, mkv, webm) there, one person each, or a folder of \
         JPEG frames for each person", .0.display()
    )]
    Empty(PathBuf),
    /// One of them, or the folder, cannot be read.
    #[error(transparent)]
    Unread(#[from] recording::RecordingError),
}

/// A recording of one person: photos as a camera took them, about ten a second.
#[derive(Debug, Clone)]
pub struct Recording {
    /// What the table calls it.
    pub name: String,
    /// JPEG or any other file the engine reads.
    pub frames: Vec<Vec<u8>>,
}

/// Everything in a folder that can be looked through, sorted by name: videos, and folders of frames.
///
/// # Errors
/// [`RecordingError`] if the folder or something in it cannot be read, or nothing is there.
pub fn recordings(dir: &Path) -> Result<Vec<Recording>, RecordingError> {
    let mut found = Vec::new();
    for path in entries(dir, PEOPLE)? {
        if !path.is_dir() && !is_video(&path) {
            continue;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let recording = Recording {
            name: name.into_owned(),
            frames: frames(&path, &BOUNDS)?,
        };
        if recording.frames.len() > 1 {
            found.push(recording);
        }
    }
    if found.is_empty() {
        return Err(RecordingError::Empty(dir.to_owned()));
    }
    Ok(found)
}
