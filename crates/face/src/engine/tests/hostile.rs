//! What pictures cost that are made to cost much.

use super::super::*;
use super::detection::{Good, good, root};
use super::photo_conditions::{self, FacePhoto};

/// What the networks have done so far, in multiplications.
fn done(engine: &Engine) -> u64 {
    let work = engine.timings();
    let detectors = engine.detectors.iter().zip(&work.detector_nets);
    let looked: u64 = detectors.map(|(net, work)| net.cost() * work.times).sum();
    let landmarks = engine.landmarker.as_ref().unwrap().cost() * work.landmark_net.times;
    let mesh = engine.mesher.as_ref().unwrap().cost() * work.mesh_net.times;
    looked + landmarks + mesh + engine.embedder.cost() * work.recognition_net.times
}

/// Whether there is a template of a picture, and how often the networks did what they do for a photo with a clear face.
fn work_for(engine: &Engine, name: &str, image: &Image) -> (bool, f64) {
    let (before, looks) = (done(engine), engine.timings().detector_nets);
    let started = std::time::Instant::now();
    let template = engine
        .find(image)
        .and_then(|place| engine.settled(image, place))
        .and_then(|(place, mesh)| engine.template_of(image, &place, mesh.as_ref()));
    let took = started.elapsed();
    let times = (done(engine) - before) as f64 / engine.search().usual as f64;
    let after = engine.timings().detector_nets;
    let looks = looks.iter().zip(&after).map(|(b, a)| a.times - b.times);
    let looks: Vec<u64> = looks.collect();
    let end = template.as_ref().err().map(ToString::to_string);
    println!(
        "{name:24} {:4}x{:<4} {times:5.1} times, {looks:?} looks, {took:?}: {}",
        image.width(),
        image.height(),
        end.as_deref().unwrap_or("a template")
    );
    (template.is_ok(), times)
}

/// A face in every field of a picture.
fn crowd(photo: &FacePhoto, width: usize, height: usize, step: usize) -> Image {
    let face = photo.cut(1.6);
    let mut canvas = photo.on_canvas(8.0, (0.5, 0.5), width, height);
    for y in (0..height - step).step_by(step) {
        for x in (0..width - step).step_by(step) {
            canvas = canvas.pasted(&face, step, x, y);
        }
    }
    canvas.image
}

/// The squares of a face in another order: all of it is there, and no face.
fn shuffled(photo: &FacePhoto, squares: usize) -> Image {
    let side = 480 / squares;
    let face = photo.cut(1.3).on_canvas(369.0, (0.5, 0.5), 480, 480);
    let mut canvas = photo.on_canvas(369.0, (0.5, 0.5), 480, 480);
    for i in 0..squares * squares {
        let from = (i * 7 + 3) % (squares * squares);
        let part = crate::geometry::Rect {
            x: (from % squares * side) as f32,
            y: (from / squares * side) as f32,
            width: side as f32,
            height: side as f32,
        };
        let part = FacePhoto {
            image: face.image.resized(part, side, side).unwrap(),
            face: face.face,
        };
        canvas = canvas.pasted(&part, side, i % squares * side, i / squares * side);
    }
    canvas.image
}

/// Pictures that are made to cost as much as they can.
fn hostile(photos: &[Good]) -> Vec<(String, Image)> {
    let mut pictures = photo_conditions::faceless();
    let mut add = |name: &str, image: Image| pictures.push((name.to_owned(), image));
    for (name, value) in [("black", 0), ("gray", 128), ("white", 255)] {
        add(
            name,
            Image::new(960, 1280, vec![value; 960 * 1280 * 3]).unwrap(),
        );
    }
    let flat = |value| Image::new(1200, 1600, vec![value; 1200 * 1600 * 3]).unwrap();
    add("much noise", photo_conditions::noisy(&flat(128), 60.0));
    add(
        "little noise in the dark",
        photo_conditions::noisy(&flat(20), 5.0),
    );
    add(
        "rings, all there is room for",
        photo_conditions::tiled(2048),
    );
    add("rings, small", photo_conditions::tiled(640));
    add(
        "a strip",
        Image::new(2048, 2, vec![90; 2048 * 2 * 3]).unwrap(),
    );
    for good in photos {
        let photo = &good.photo;
        add("crowd", crowd(photo, 1200, 900, 300));
        add("crowd, small", crowd(photo, 1600, 1200, 90));
        add("shuffled", shuffled(photo, 4));
        add("shuffled finely", shuffled(photo, 12));
        add(
            "far away",
            photo.on_canvas(14.0, (0.2, 0.8), 2048, 1536).image,
        );
        add(
            "upside down and burnt",
            photo.tilted(180.0).lit(|_, v| v * 2.2).image,
        );
        add(
            "on its side, in the dark",
            photo.tilted(90.0).lit(|_, v| v * 0.1).image,
        );
        add("hardly lit", photo.lit(|_, v| v * 0.05).noisy(2.0).image);
        add(
            "half a face",
            photo.lit(|p, v| if p.x < 0.0 { v } else { 0.5 }).image,
        );
        add(
            "masked",
            photo.lit(|p, v| if p.y < 0.1 { v } else { 0.8 }).image,
        );
    }
    pictures
}

/// A photo without a usable face costs a bounded multiple of a good one. Work is counted, not time: how long it takes
/// depends on who else is at work.
#[test]
fn hostile_pictures_cost_a_few_times_what_good_photos_do() {
    let engine = Engine::load(&root().join("models/build/default")).unwrap();
    let good = good(false);
    let mut clear = good
        .iter()
        .map(|g| work_for(&engine, &g.name, &g.photo.image));
    // As much as `usual` says, but for a mesh that was asked twice.
    assert!(clear.any(|(is_good, times)| is_good && (0.99..1.3).contains(&times)));
    let mut worst = (0.0, String::new());
    for (name, image) in hostile(&good[..3]) {
        let (is_good, times) = work_for(&engine, &name, &image);
        // Beyond its networks a good photo costs its pixels, and in proportion the hostile one too.
        let allowed = 7.0 + (image.width() * image.height()) as f64 / 8e5;
        assert!(
            is_good || times <= allowed,
            "{name}: {times:.1}, {allowed:.1}"
        );
        if !is_good && times > worst.0 {
            worst = (times, name);
        }
    }
    println!("{worst:?}");
}
