//! A recording, looked through for what the person does in it.

use std::path::Path;

use face::{Engine, FaceTracker, Fingerprint, PhotoError, liveness::Action};
use indicatif::{ProgressBar, ProgressStyle};
use phone::Album;
use recording::{Bounds, frames};

use super::{
    moments::{Look, choose},
    sent::Sent,
};
use crate::{
    cli::{CommandError, serve::find_pack},
    platform::config::Settings,
};

/// A minute, in frames as small as the phone app's. Of what a phone films in a minute no file is larger.
const BOUNDS: Bounds = Bounds {
    frames: 600,
    video: 500_000_000,
    memory: 200_000_000,
    side: Some(640),
};

/// Frames for every action that the person does in a video or in a folder of its frames; none of those that were `sent`.
pub(super) async fn album(
    settings: &Settings,
    recording: &Path,
    sent: Sent,
) -> Result<Album, CommandError> {
    let pack = find_pack(settings)?;
    let recording = recording.to_owned();
    tokio::task::spawn_blocking(move || look_through(&pack, &recording, &sent)).await?
}

fn look_through(pack: &Path, recording: &Path, sent: &Sent) -> Result<Album, CommandError> {
    let frames = frames(recording, &BOUNDS)?;
    let engine = Engine::load(pack)?;
    let mut looks = looks(&engine, &frames, sent)?;
    let told = |problem: &str| format!("{}: {problem}", recording.display());
    if looks.is_empty() {
        return Err(told("no frame shows one face, and one alone").into());
    }
    let chosen = choose(&looks, &mut rand::rng());
    let all = if looks.iter().any(|look| look.was_sent) {
        looks.iter_mut().for_each(|look| look.was_sent = false);
        choose(&looks, &mut rand::rng())
    } else {
        // Another draw may find less, and that is no sign that it was sent.
        chosen.clone()
    };
    let Some(all) = all else {
        let problem = "in no frame does the person look straight into the camera, with open eyes and a shut mouth";
        return Err(told(problem).into());
    };
    let chosen = chosen.unwrap_or_default();
    let (mut shows, mut over, mut lacks) = (Vec::new(), Vec::new(), Vec::new());
    for action in Action::ASKED.map(Action::as_str) {
        let list = match (chosen.contains_key(action), all.contains_key(action)) {
            (true, _) => &mut shows,
            (false, true) => &mut over,
            (false, false) => &mut lacks,
        };
        list.push(action);
    }
    let mut line = format!("shows: {}; not: {}", list(&shows), list(&lacks));
    if !over.is_empty() {
        line.push_str("; sent before: ");
        line.push_str(&list(&over));
    }
    say!("{line}");
    if chosen.is_empty() {
        let problem = "all that it shows was sent before, and no frame is taken twice; give another recording";
        return Err(told(problem).into());
    }
    let photos = chosen.into_iter().map(|(action, numbers)| {
        let photos = numbers.into_iter().map(|number| frames[number].clone());
        (action.to_owned(), photos.collect())
    });
    Ok(Album::ByAction(photos.collect()))
}

fn list(words: &[&str]) -> String {
    match words {
        [] => "nothing".to_owned(),
        words => words.join(", "),
    }
}

/// What is seen in each frame; nothing of those without one clear face.
fn looks(engine: &Engine, frames: &[Vec<u8>], sent: &Sent) -> Result<Vec<Look>, CommandError> {
    let style =
        ProgressStyle::with_template("{bar:40} {pos}/{len} frames looked through, {eta} left")?;
    let bar = ProgressBar::new(frames.len() as u64).with_style(style);
    let mut tracker = FaceTracker::new(engine);
    let mut looks = Vec::new();
    let mut prints = Vec::new();
    for (frame, photo) in frames.iter().enumerate() {
        let look = tracker.look(photo).and_then(|face| {
            Ok(Look {
                frame,
                pose: face.pose()?,
                is_clear: face.template(engine).is_ok(),
                was_sent: sent.has(photo),
            })
        });
        match look {
            Ok(look) => {
                looks.push(look);
                prints.extend(tracker.fingerprints().last().copied());
            }
            Err(error @ PhotoError::Internal(_)) => return Err(error.into()),
            Err(_) => {}
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let sent = looks.iter().zip(&prints).filter(|(look, _)| look.was_sent);
    let sent: Vec<Fingerprint> = sent.map(|(_, print)| *print).collect();
    for (look, print) in looks.iter_mut().zip(&prints) {
        look.was_sent |= sent.iter().any(|one| one.is_copy_of(print));
    }
    Ok(looks)
}
