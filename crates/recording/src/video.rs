//! Videos, read through ffmpeg.

use std::{
    ffi::OsString,
    io::{self, Read as _},
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
    thread::{self, JoinHandle},
};

use crate::{
    bounds::{Bounds, RATE},
    error::RecordingError,
    folder::is_regular,
    mjpeg::Stream,
};

/// Endings of files that are taken for videos.
const VIDEOS: [&str; 4] = ["mp4", "mov", "mkv", "webm"];
/// Most bytes of one frame.
const FRAME: usize = 8_000_000;
/// Most pixels of a video's picture: those of 8K.
const PIXELS: &str = "40000000";
/// Seconds of work after which ffmpeg gives up.
const WORK: &str = "300";
/// How much of what ffmpeg says is kept.
const SAID: u64 = 4096;

/// Whether a file is named as a video is.
#[must_use]
pub fn is_video(file: &Path) -> bool {
    let ending = file.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| VIDEOS.iter().any(|one| ending.eq_ignore_ascii_case(one)))
}

/// ffmpeg at work; it does not outlive whoever asked it.
struct Reading(Child);

impl Drop for Reading {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The frames of a video as JPEG files, through a pipe: nothing is written to disk.
pub(crate) fn frames(video: &Path, bounds: &Bounds) -> Result<Vec<Vec<u8>>, RecordingError> {
    is_regular(video, bounds.video)?;
    let unreadable = |error| RecordingError::unreadable(video, error);
    let child = command(video, bounds).spawn();
    let mut reading = Reading(child.map_err(RecordingError::NoFfmpeg)?);
    let said = reading.0.stderr.take().map(listen);
    let mut stream = Stream::of(
        reading
            .0
            .stdout
            .take()
            .ok_or_else(no_pipe)
            .map_err(unreadable)?,
    );
    let (mut frames, mut taken) = (Vec::new(), 0);
    while let Some(frame) = stream.next(FRAME).map_err(unreadable)? {
        taken += frame.len();
        frames.push(frame);
        if frames.len() > bounds.frames {
            return Err(RecordingError::too_many(video, bounds));
        }
        if taken > bounds.memory {
            return Err(RecordingError::too_large(video, bounds.memory as u64));
        }
    }
    if reading.0.wait().map_err(unreadable)?.success() && !frames.is_empty() {
        return Ok(frames);
    }
    let said = said.and_then(|said| said.join().ok()).unwrap_or_default();
    Err(RecordingError::NoVideo {
        path: video.to_owned(),
        reason: said,
    })
}

fn no_pipe() -> io::Error {
    io::ErrorKind::BrokenPipe.into()
}

fn command(video: &Path, bounds: &Bounds) -> Command {
    let mut filter = format!("fps={RATE}");
    if let Some(side) = bounds.side {
        filter.push_str(&format!(
            ",scale=w='min({side},iw)':h='min({side},ih)':force_original_aspect_ratio=decrease"
        ));
    }
    // Whatever a file is called, it is a file; and one that names others, as a playlist does, leads to nowhere but files.
    let mut name = OsString::from("file:");
    name.push(video);
    let mut command = Command::new("ffmpeg");
    command
        .args(["-v", "error", "-nostdin", "-protocol_whitelist", "file"])
        .args(["-max_pixels", PIXELS, "-timelimit", WORK, "-i"])
        .arg(name)
        .args(["-vf", &filter, "-an", "-sn", "-dn"])
        .args(["-f", "image2pipe", "-c:v", "mjpeg", "-q:v", "2", "-"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Hears all that ffmpeg says, so that it is not kept waiting, and gives its last word.
fn listen(said: ChildStderr) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut said = said;
        let mut kept = Vec::new();
        let _ = said.by_ref().take(SAID).read_to_end(&mut kept);
        let _ = io::copy(&mut said, &mut io::sink());
        let text = String::from_utf8_lossy(&kept);
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let last = lines.next_back().unwrap_or_default();
        last.chars().filter(|c| !c.is_control()).take(200).collect()
    })
}
