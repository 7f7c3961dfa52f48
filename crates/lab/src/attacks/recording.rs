//! Recordings of people: folders of videos, read through ffmpeg, or of frames.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Frames taken from each second of a video.
const RATE: &str = "fps=10";
/// Endings of files that are taken for videos.
const VIDEOS: [&str; 4] = ["mp4", "mov", "mkv", "webm"];

/// Why recordings could not be read: a sentence that says what to do.
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
    /// The folder holds nothing that could be a recording.
    #[error(
        "{}: no recordings. Put videos (mp4, mov, mkv, webm) there, one person each, or a folder of \
         JPEG frames for each person", .0.display()
    )]
    Empty(PathBuf),
    /// The program that reads videos is not there.
    #[error("ffmpeg is needed to read videos ({0}); install it, or give frames")]
    NoFfmpeg(io::Error),
    /// The program that reads videos refuses one.
    #[error("{}: ffmpeg cannot read it", .0.display())]
    NoVideo(PathBuf),
}

/// A recording of one person: photos as a camera took them, about ten a second.
#[derive(Debug, Clone)]
pub struct Recording {
    /// What the table calls it.
    pub name: String,
    /// JPEG or any other file the engine reads.
    pub frames: Vec<Vec<u8>>,
}

impl Recording {
    /// The frames of a stream of JPEG files, one after the other (Motion JPEG).
    pub fn of_mjpeg(name: &str, stream: &[u8]) -> Self {
        // Within a file the two bytes that end it do not occur.
        let mut frames = Vec::new();
        let mut start = 0;
        for at in 1..stream.len() {
            if stream[at - 1..=at] == [0xFF, 0xD9] {
                frames.push(stream[start..=at].to_vec());
                start = at + 1;
            }
        }
        Self {
            name: name.to_owned(),
            frames,
        }
    }
}

/// Everything in a folder that can be looked through, sorted by name: videos, and folders of frames.
///
/// # Errors
/// [`RecordingError`] if the folder or something in it cannot be read, or nothing is there.
pub fn recordings(dir: &Path) -> Result<Vec<Recording>, RecordingError> {
    let mut found = Vec::new();
    for path in entries(dir)? {
        let ending = path
            .extension()
            .and_then(|e| e.to_str())
            .unwrap_or_default();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let recording = if path.is_dir() {
            Recording {
                name: name.into_owned(),
                frames: frames_in(&path)?,
            }
        } else if VIDEOS.contains(&ending.to_ascii_lowercase().as_str()) {
            Recording::of_mjpeg(&name, &frames_of(&path)?)
        } else {
            continue;
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

fn entries(dir: &Path) -> Result<Vec<PathBuf>, RecordingError> {
    let listed = || {
        let entries = fs::read_dir(dir)?;
        let mut paths = entries
            .map(|entry| Ok(entry?.path()))
            .collect::<io::Result<Vec<_>>>()?;
        paths.sort();
        Ok(paths)
    };
    listed().map_err(|error| unreadable(dir, error))
}

fn unreadable(path: &Path, error: io::Error) -> RecordingError {
    RecordingError::Unreadable {
        path: path.to_owned(),
        error,
    }
}

fn frames_in(dir: &Path) -> Result<Vec<Vec<u8>>, RecordingError> {
    let files = entries(dir)?.into_iter().filter(|path| path.is_file());
    files
        .map(|file| fs::read(&file).map_err(|error| unreadable(&file, error)))
        .collect()
}

/// The frames of a video as Motion JPEG, through a pipe from ffmpeg: nothing is written to disk.
fn frames_of(video: &Path) -> Result<Vec<u8>, RecordingError> {
    let mut child = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(video)
        .args([
            "-vf",
            RATE,
            "-f",
            "image2pipe",
            "-c:v",
            "mjpeg",
            "-q:v",
            "2",
            "-",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .map_err(RecordingError::NoFfmpeg)?;
    let mut bytes = Vec::new();
    if let Some(mut output) = child.stdout.take() {
        let read = output.read_to_end(&mut bytes);
        read.map_err(|error| unreadable(video, error))?;
    }
    let ended = child.wait().map_err(|error| unreadable(video, error))?;
    if !ended.success() {
        return Err(RecordingError::NoVideo(video.to_owned()));
    }
    Ok(bytes)
}
