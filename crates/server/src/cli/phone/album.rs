//! The photos that the operator names: files, a folder in which names tell what they show, or a recording.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use face::{Limits, PhotoFormat, liveness::Action};
use phone::{Album, MOST, MOST_OF_A_STEP};
use rand::seq::SliceRandom as _;
use recording::{entries, is_video};

use super::{recorded, sent::Sent};
use crate::{cli::CommandError, platform::config::Settings};

/// Most files in a folder.
const FILES: usize = 600;

/// What there is to be sent.
pub(super) async fn album(
    settings: &Settings,
    paths: &[PathBuf],
    sent: Sent,
) -> Result<Album, CommandError> {
    let [path] = paths else {
        return in_order(paths);
    };
    if path.is_dir() {
        if let Some(album) = named(path)? {
            return Ok(album);
        }
    } else if !is_video(path) {
        return Ok(Album::InOrder(vec![photo(path)?]));
    }
    recorded::album(settings, path, sent).await
}

/// What is missing of an album that answers no challenge which proves life; `None` where it may answer one.
pub(super) fn lacks(album: &Album) -> Option<&'static str> {
    let Album::ByAction(photos) = album else {
        return None;
    };
    let shows = |is_one: fn(Action) -> bool| {
        let shown = |action: &Action| photos.contains_key(action.as_str());
        let mut shown = Action::ASKED.into_iter().filter(shown);
        shown.any(is_one)
    };
    if !shows(Action::turns) {
        Some("turn of the head (turn_left, turn_right or look_up)")
    } else if !shows(Action::moves) {
        Some("movement of eyes or mouth (blink or open_mouth)")
    } else {
        None
    }
}

fn in_order(paths: &[PathBuf]) -> Result<Album, CommandError> {
    if let Some(path) = paths.iter().find(|path| path.is_dir() || is_video(path)) {
        return Err(format!("{}: a video or a folder is given alone", path.display()).into());
    }
    if paths.len() > MOST {
        return Err(format!("an answer has at most {MOST} photos, not {}", paths.len()).into());
    }
    let photos: Result<_, _> = paths.iter().map(|path| photo(path)).collect();
    Ok(Album::InOrder(photos?))
}

fn photo(path: &Path) -> Result<Vec<u8>, CommandError> {
    let bytes = recording::read(path, Limits::default().bytes as u64)?;
    if PhotoFormat::of(&bytes).is_none() {
        let reason =
            "is neither a photo (JPEG, PNG, WebP, HEIC) nor called a video (mp4, mov, mkv, webm)";
        return Err(format!("{}: {reason}", path.display()).into());
    }
    Ok(bytes)
}

/// The photos in a folder that are named by what they show; `None` where none is.
fn named(folder: &Path) -> Result<Option<Album>, CommandError> {
    let all = entries(folder, FILES)?;
    let told = |problem: &str| {
        format!(
            "{}: {problem}. Photos are named by what they show, such as look_straight-1.jpg and turn_left-1.jpg; or give a \
             video, or its frames",
            folder.display()
        )
    };
    if all.is_empty() {
        return Err(told("nothing is in it").into());
    }
    let mut files: BTreeMap<&str, Vec<PathBuf>> = BTreeMap::new();
    for path in all {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let Some(action) = Action::from_word(name.split('-').next().unwrap_or_default()) else {
            continue;
        };
        let shown = files.entry(action.as_str()).or_default();
        if path.is_dir() {
            shown.extend(entries(&path, FILES)?);
        } else {
            shown.push(path);
        }
    }
    if files.is_empty() {
        return Ok(None);
    }
    if !files.contains_key(Action::LookStraight.as_str()) {
        return Err(told("every challenge begins with look_straight").into());
    }
    let mut photos = BTreeMap::new();
    for (action, mut shown) in files {
        // Others each time, for none may be sent twice.
        shown.shuffle(&mut rand::rng());
        shown.truncate(MOST_OF_A_STEP);
        shown.sort();
        let shown: Result<Vec<_>, _> = shown.iter().map(|path| photo(path)).collect();
        photos.insert(action.to_owned(), shown?);
    }
    Ok(Some(Album::ByAction(photos)))
}
