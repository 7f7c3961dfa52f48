//! Copies of one frame are told from other photos of the same person.

use std::path::{Path, PathBuf};

use face::{Asked, Engine, FaceEngine, Fingerprint, Frame, Limits, Purpose, decode_photo};
use jpeg_encoder::{ColorType, Encoder};

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/build")
}

fn demo(person: usize, photo: usize) -> Vec<u8> {
    let file = format!("demo-faces/person{}/0{}.jpg", person + 1, photo + 1);
    std::fs::read(models().join(file)).expect("run `make models`")
}

fn encoded_anew(photo: &[u8], quality: u8) -> Vec<u8> {
    let image = decode_photo(photo, &Limits::default()).unwrap();
    let (width, height) = (image.width() as u16, image.height() as u16);
    let mut bytes = Vec::new();
    Encoder::new(&mut bytes, quality)
        .encode(image.data(), width, height, ColorType::Rgb)
        .unwrap();
    bytes
}

/// Persons 2 to 6 have two renditions of one photo: cut, turned, in other light and compressed harder. Person
/// 1 has two photos.
#[test]
fn copies_are_told_from_other_photos() {
    let engine = Engine::load(&models().join("default")).expect("run `make models`");
    let of = |photo: &[u8]| -> Fingerprint {
        let frame = Frame {
            photo,
            step: 0,
            at_ms: 0,
        };
        let scan = engine.scan(&[frame], Asked::Nothing, Purpose::Comparison);
        scan.unwrap().fingerprints[0]
    };
    let first: Vec<_> = (0..6).map(|person| of(&demo(person, 0))).collect();
    let second: Vec<_> = (0..6).map(|person| of(&demo(person, 1))).collect();
    let (mut farthest_copy, mut nearest_other) = (0, 512);
    for (person, known) in first.iter().enumerate() {
        for quality in [90, 60, 30] {
            let copy = of(&encoded_anew(&demo(person, 0), quality));
            farthest_copy = farthest_copy.max(copy.differing(known));
            assert!(copy.is_copy_of(known), "person {person} at {quality}");
        }
        for (other, fingerprint) in second.iter().enumerate() {
            let differing = fingerprint.differing(known);
            let is_copy = person == other && person > 0;
            if is_copy {
                farthest_copy = farthest_copy.max(differing);
            } else {
                nearest_other = nearest_other.min(differing);
            }
            assert_eq!(
                fingerprint.is_copy_of(known),
                is_copy,
                "{person} {other}: {differing}"
            );
        }
    }
    println!(
        "copies differ in at most {farthest_copy} bits, other photos in at least {nearest_other}"
    );
}
