//! What the phone sees against what the server sees in the same pictures.

use std::process::Command;

use face::{Engine, FaceTracker, Limits, decode_photo};
use sight::{Action, Pose, Usual, progress};

use crate::{eye, faces, root, skipped};

fn engine() -> Engine {
    Engine::load(&root().join("models/build/default")).expect("run `make models`")
}

#[test]
fn a_face_is_held_as_the_server_says() {
    let engine = engine();
    for (person, photo) in faces().enumerate() {
        let server = FaceTracker::new(&engine).look(&photo).unwrap();
        let server = server.pose().unwrap();
        let mut eye = eye();
        let picture = decode_photo(&photo, &Limits::default()).unwrap();
        let phone = eye.look(&picture).unwrap().expect("a face is there").pose;
        for action in Action::ASKED {
            let way = progress(action, &server, &phone);
            assert!(way.abs() < 0.35, "person {person}: {action:?} by {way}");
        }
    }
}

/// From here on the phone takes a step for done (`web/phone/src/capture/guide.ts`), and the server counts it fully.
const DONE: f32 = 1.1;
const ENOUGH: f32 = 0.8;

/// Pictures of a recording, five a second.
fn pictures(recording: &std::path::Path) -> Option<Vec<Vec<u8>>> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-i"]).arg(recording);
    ffmpeg.args(["-vf", "fps=5", "-q:v", "2", "-f", "mjpeg", "-"]);
    let stream = ffmpeg.output().ok().filter(|o| o.status.success())?.stdout;
    let begins = |at: &usize| stream[*at..].starts_with(&[0xff, 0xd8, 0xff]);
    let starts: Vec<usize> = (0..stream.len()).filter(begins).collect();
    let ends = starts.iter().skip(1).copied().chain([stream.len()]);
    Some(
        starts
            .iter()
            .zip(ends)
            .map(|(from, to)| stream[*from..to].to_vec())
            .collect(),
    )
}

#[test]
fn in_recordings_a_step_is_done_for_the_phone_where_it_is_done_for_the_server() {
    let folder = root().join("../shared/faces/videos");
    let recordings: Vec<_> = ["b", "d"]
        .map(|name| folder.join(format!("{name}.mp4")))
        .into();
    if !recordings.iter().all(|file| file.is_file()) {
        return skipped("no ../shared/faces/videos beside the repository");
    }
    let engine = engine();
    let (mut apart, mut seen, mut missed) = (Vec::new(), 0, 0);
    let (mut done, mut agreed) = (0, 0);
    for recording in recordings {
        let Some(pictures) = pictures(&recording) else {
            return skipped("ffmpeg, which reads recordings, is not installed");
        };
        let (mut tracker, mut eye) = (FaceTracker::new(&engine), eye());
        let mut first: Option<(Pose, Pose)> = None;
        for picture in pictures {
            let Ok(server) = tracker.look(&picture).and_then(|face| face.pose()) else {
                continue;
            };
            let image = decode_photo(&picture, &Limits::default()).unwrap();
            let Some(phone) = eye.look(&image).unwrap() else {
                missed += 1;
                continue;
            };
            seen += 1;
            let usual = |pose: Pose| {
                let mut usual = Usual::default();
                usual.see(&pose);
                usual.of(pose)
            };
            let (a, b) = *first.get_or_insert((usual(server), usual(phone.pose)));
            for action in Action::ASKED {
                let ways = [
                    progress(action, &a, &server),
                    progress(action, &b, &phone.pose),
                ];
                let [server, phone] = ways.map(|way| way.clamp(-0.5, 1.5));
                apart.push((server - phone).abs());
                if phone >= DONE {
                    done += 1;
                    agreed += usize::from(server >= ENOUGH);
                }
            }
        }
    }
    apart.sort_by(f32::total_cmp);
    let part = |share: f32| apart[(apart.len() as f32 * share) as usize];
    let found = format!(
        "{seen} seen, {missed} missed, ways apart by {:.3} and {:.3}, {agreed} of {done} agreed",
        part(0.5),
        part(0.95)
    );
    println!("{found}");
    assert!(seen > 40 && missed * 20 < seen, "{found}");
    assert!(part(0.5) < 0.08 && part(0.95) < 0.5, "{found}");
    assert!(done > 10 && agreed * 10 >= done * 9, "{found}");
}
