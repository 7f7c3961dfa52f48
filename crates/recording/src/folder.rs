//! Frames that lie in a folder.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use face::{Limits, decode_photo};
use jpeg_encoder::{ColorType, Encoder};

use crate::{bounds::Bounds, error::RecordingError};

/// Quality of a frame that was shrunk: nothing that tells a living face is lost.
const QUALITY: u8 = 92;

/// What is in a folder, by name; nothing hidden, and an error where it is more than `most`.
///
/// # Errors
/// [`RecordingError::Unreadable`] and [`RecordingError::TooMuch`].
pub fn entries(folder: &Path, most: usize) -> Result<Vec<PathBuf>, RecordingError> {
    let unreadable = |error| RecordingError::unreadable(folder, error);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if paths.len() == most {
            let reason = format!("more than {most} files are in it");
            return Err(RecordingError::too_much(folder, reason));
        }
        paths.push(entry.path());
    }
    paths.sort();
    Ok(paths)
}

/// The frames in a folder, in the order of their names.
pub(crate) fn frames(folder: &Path, bounds: &Bounds) -> Result<Vec<Vec<u8>>, RecordingError> {
    let (mut frames, mut taken) = (Vec::new(), 0);
    for file in entries(folder, bounds.frames)? {
        let frame = frame(&file, bounds)?;
        taken += frame.len();
        if taken > bounds.memory {
            return Err(RecordingError::too_large(folder, bounds.memory as u64));
        }
        frames.push(frame);
    }
    Ok(frames)
}

fn frame(file: &Path, bounds: &Bounds) -> Result<Vec<u8>, RecordingError> {
    let limits = Limits::default();
    let bytes = read(file, limits.bytes as u64)?;
    let Some(side) = bounds.side else {
        return Ok(bytes);
    };
    let shrunk = || {
        let image = decode_photo(&bytes, &limits)?;
        if image.width().max(image.height()) <= side as usize {
            return Ok(None);
        }
        let image = image.shrunk_to(side as usize)?;
        let size = |side: usize| u16::try_from(side).unwrap_or(u16::MAX);
        let mut jpeg = Vec::new();
        Encoder::new(&mut jpeg, QUALITY)
            .encode(
                image.data(),
                size(image.width()),
                size(image.height()),
                ColorType::Rgb,
            )
            .map_err(|error| face::PhotoError::Internal(error.to_string()))?;
        Ok(Some(jpeg))
    };
    match shrunk() {
        Ok(jpeg) => Ok(jpeg.unwrap_or(bytes)),
        Err(error) => Err(RecordingError::NoPhoto {
            path: file.to_owned(),
            error,
        }),
    }
}

/// The bytes of a file, which has at most so many.
///
/// # Errors
/// [`RecordingError`] for what is no file, cannot be read, or has more.
pub fn read(file: &Path, most: u64) -> Result<Vec<u8>, RecordingError> {
    let unreadable = |error| RecordingError::unreadable(file, error);
    // Opening a pipe would wait for whoever writes into it.
    is_regular(file, most)?;
    let mut bytes = Vec::new();
    let mut reader = File::open(file).map_err(unreadable)?.take(most + 1);
    reader.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > most {
        return Err(RecordingError::too_large(file, most));
    }
    Ok(bytes)
}

/// Whether there is a file that has no more than so many bytes.
pub(crate) fn is_regular(file: &Path, most: u64) -> Result<(), RecordingError> {
    let about = fs::metadata(file).map_err(|error| RecordingError::unreadable(file, error))?;
    if about.is_dir() {
        let error = io::Error::from(io::ErrorKind::IsADirectory);
        Err(RecordingError::unreadable(file, error))
    } else if !about.is_file() {
        Err(RecordingError::NoFile(file.to_owned()))
    } else if about.len() > most {
        Err(RecordingError::too_large(file, most))
    } else {
        Ok(())
    }
}
