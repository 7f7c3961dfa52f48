//! Why there is nothing to look at.

use std::{
    io,
    path::{Path, PathBuf},
};

use face::PhotoError;

use crate::bounds::{Bounds, RATE};

/// Why a recording could not be read: a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// A folder or file cannot be read.
    #[error("{} cannot be read: {error}", path.display())]
    Unreadable {
        /// The folder or file.
        path: PathBuf,
        /// What the system says of it.
        error: io::Error,
    },
    /// A device, a pipe or a socket.
    #[error("{} is neither a file nor a folder", .0.display())]
    NoFile(PathBuf),
    /// Nothing is in it.
    #[error("{}: there is no frame in it", .0.display())]
    Empty(PathBuf),
    /// More is in it than is read.
    #[error("{}: {reason}", path.display())]
    TooMuch {
        /// The folder or file.
        path: PathBuf,
        /// How much is too much.
        reason: String,
    },
    /// A file among the frames is no photo.
    #[error("{}: {error}; a folder of frames holds nothing but them", path.display())]
    NoPhoto {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: PhotoError,
    },
    /// The program that reads videos is not there.
    #[error("ffmpeg is needed to read videos ({0}); install it, or give frames")]
    NoFfmpeg(io::Error),
    /// The program that reads videos refuses one.
    #[error("{}: ffmpeg cannot read it{}", path.display(), told(reason))]
    NoVideo {
        /// The file.
        path: PathBuf,
        /// What ffmpeg says of it.
        reason: String,
    },
}

fn told(reason: &str) -> String {
    if reason.is_empty() {
        String::new()
    } else {
        format!(" ({reason})")
    }
}

impl RecordingError {
    pub(crate) fn unreadable(path: &Path, error: io::Error) -> Self {
        Self::Unreadable {
            path: path.to_owned(),
            error,
        }
    }

    pub(crate) fn too_much(path: &Path, reason: String) -> Self {
        Self::TooMuch {
            path: path.to_owned(),
            reason,
        }
    }

    /// More frames than may be.
    pub(crate) fn too_many(path: &Path, bounds: &Bounds) -> Self {
        let most = bounds.frames;
        let seconds = most / RATE as usize;
        let reason =
            format!("it is longer than {seconds} seconds ({most} frames); give a shorter one");
        Self::too_much(path, reason)
    }

    /// More bytes than may be.
    pub(crate) fn too_large(path: &Path, most: u64) -> Self {
        Self::too_much(path, format!("it has more than {} MB", most / 1_000_000))
    }
}
