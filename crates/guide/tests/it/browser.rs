//! What browsers get, run by Node, against the same code compiled for this machine.

use std::process::Command;

use face::{Limits, decode_photo};
use guide::abi::{ACTIONS, NUMBERS};
use sight::{Image, Pose};

use crate::{eye, faces, framed, is_near, root, skipped};

/// The file that the bundler took, as the program serves it.
fn program() -> Option<std::path::PathBuf> {
    let build = root().join("web/build");
    let files = std::fs::read_dir(&build).ok()?.flatten();
    let names = files.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names = names.filter(|name| name.starts_with("engine.") && name.ends_with(".wasm"));
    names.next().map(|name| build.join(name))
}

/// Several looks at each face, as in a capture: straight, then a little aside, larger, and at another face in the end.
fn captures() -> Vec<Vec<Image>> {
    let photos: Vec<Image> = faces()
        .map(|photo| decode_photo(&photo, &Limits::default()).unwrap())
        .collect();
    let looks = |(i, photo): (usize, &Image)| {
        let other = &photos[(i + 1) % photos.len()];
        vec![
            framed(photo, 0.0, 1.0),
            framed(photo, 12.0, 1.05),
            framed(photo, -20.0, 1.3),
            framed(other, 0.0, 1.0),
        ]
    };
    photos.iter().enumerate().map(looks).collect()
}

#[test]
fn the_browsers_engine_sees_what_this_one_sees() {
    let Some(program) = program() else {
        return skipped("the phone's engine was not built (no wasm32-unknown-unknown)");
    };
    let captures = captures();
    let folder = tempfile::tempdir().unwrap();
    let pixels = folder.path().join("pixels");
    let bytes: Vec<u8> = captures
        .iter()
        .flatten()
        .flat_map(|picture| {
            let pixels = picture.data().as_chunks::<3>().0.iter();
            pixels
                .flat_map(|[r, g, b]| [*r, *g, *b, 255])
                .collect::<Vec<_>>()
        })
        .collect();
    std::fs::write(&pixels, bytes).unwrap();
    let mut node = Command::new("node");
    node.arg(root().join("crates/guide/tests/browser.mjs"))
        .arg(program);
    node.arg(root().join("models/build/guide/mesh.onnx"))
        .arg(pixels);
    let (width, height) = (captures[0][0].width(), captures[0][0].height());
    node.args([width, height, captures[0].len(), NUMBERS].map(|n| n.to_string()));
    let Ok(output) = node.output() else {
        return skipped("node is not installed");
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.lines();
    let mut eye = eye();
    let mut seen = 0;
    for capture in &captures {
        eye.begin();
        for (look, picture) in capture.iter().enumerate() {
            let here = eye.look(picture).unwrap();
            let there: Vec<f32> = lines
                .next()
                .unwrap()
                .split(' ')
                .map(|n| n.parse().unwrap())
                .collect();
            let Some(here) = here else {
                assert!(there[0] == 0.0, "the browser sees a face: {there:?}");
                continue;
            };
            seen += 1;
            let [x, y] = here.middle;
            let Pose { yaw, eyes, .. } = here.pose;
            let numbers = [here.confidence, x, y, here.height, yaw, eyes];
            let ways = ACTIONS.map(|action| eye.way(action));
            for (i, (a, b)) in numbers.into_iter().chain(ways).zip(there).enumerate() {
                // Products and sums are fused here and not there. Number 4 is in degrees; how far a step was done (from
                // number 6 on) is a difference of a few hundredths, multiplied.
                let most = match i {
                    4 => 0.1,
                    6.. => 0.02,
                    _ => 5e-3,
                };
                assert!(
                    is_near(a, b, most),
                    "number {i}: {a} here, {b} in a browser"
                );
            }
            if look == 0 {
                eye.keep_straight();
            }
        }
    }
    assert!(
        lines.next().is_none() && seen >= 20,
        "{seen} faces were seen"
    );
}

#[test]
fn the_app_numbers_steps_as_the_engine_does() {
    let app = std::fs::read_to_string(root().join("web/phone/src/engine/program.ts")).unwrap();
    let list = app
        .split("ACTIONS = [")
        .nth(1)
        .and_then(|rest| rest.split(']').next());
    let words: Vec<&str> = list.unwrap().split('\'').skip(1).step_by(2).collect();
    assert_eq!(words, ACTIONS.map(|action| action.as_str()));
}
