//! Our networks, on our own layers, against what the original library computed for the same pictures.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::super::*;
use crate::detect::Found;
use crate::geometry::Rect;
use crate::image::Image;
use crate::net::Net;
use crate::pack::manifest::DetectorSpec;

/// One case of `models/build/parity/cases.json`.
#[derive(Deserialize)]
struct Case {
    net: String,
    shape: [usize; 4],
    input: String,
    outputs: Vec<Output>,
    #[serde(default)]
    faces: Option<Vec<Face>>,
}

#[derive(Deserialize)]
struct Output {
    file: String,
}

/// A face as the original library sees it, in units of the side.
#[derive(Deserialize)]
struct Face {
    score: f32,
    #[serde(rename = "box")]
    area: [f32; 4],
}

fn build() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/build")
}

fn floats(name: &str) -> Vec<f32> {
    let bytes = std::fs::read(build().join("parity").join(name)).expect("run `make models`");
    bytes
        .as_chunks()
        .0
        .iter()
        .map(|b| f32::from_le_bytes(*b))
        .collect()
}

/// The case's picture; its numbers are whole, so bytes hold them exactly.
fn picture(case: &Case) -> Image {
    let planes = floats(&case.input);
    let size = planes.len() / 3;
    let rgb = (0..planes.len())
        .map(|i| planes[i % 3 * size + i / 3] as u8)
        .collect();
    Image::new(case.shape[3], case.shape[2], rgb).unwrap()
}

#[test]
fn every_network_agrees_with_the_original() {
    let text = std::fs::read(build().join("parity/cases.json")).expect("run `make models`");
    let cases: Vec<Case> = serde_json::from_slice(&text).unwrap();
    for case in &cases {
        let image = picture(case);
        let file = format!("{}.onnx", case.net);
        let pack = match case.net.as_str() {
            "face_recognition" => "dlib",
            _ => "default",
        };
        let dir = build().join(pack);
        let manifest = Manifest::read(&dir).expect("run `make models`");
        let bytes = std::fs::read(dir.join(&file)).unwrap();
        let detector = manifest.detectors.iter().find(|d| d.file == file);
        let mut input = match (detector, case.net.as_str()) {
            (Some(spec), _) => spec.input.clone(),
            (None, "face_landmark_68") => manifest.landmarks.as_ref().unwrap().input.clone(),
            (None, "facemesh") => manifest.mesh.as_ref().unwrap().input.clone(),
            (None, _) => manifest.embedding.0[0].input.clone(),
        };
        input.side = image.width();
        let outputs = Net::load(&bytes, input.clone(), &[])
            .unwrap()
            .run(&image)
            .unwrap();
        assert_eq!(outputs.len(), case.outputs.len());
        for (ours, original) in outputs.iter().zip(&case.outputs) {
            same_numbers(
                ours,
                &floats(&original.file),
                &format!("{} {}", case.net, original.file),
            );
        }
        if let (Some(spec), Some(faces)) = (detector, &case.faces) {
            let spec = DetectorSpec {
                input,
                ..spec.clone()
            };
            let found = Detector::load(&bytes, &spec)
                .unwrap()
                .find(&image, 0.0, 0.5)
                .unwrap();
            same_faces(&found, faces, image.width() as f32, &case.net);
        }
    }
}

/// Equal to 1e-3, absolutely for small numbers, relatively for large ones.
fn same_numbers(ours: &[f32], original: &[f32], what: &str) {
    assert_eq!(ours.len(), original.len(), "{what}");
    let off = |(a, b): (&f32, &f32)| (a - b).abs() / b.abs().max(1.0);
    let worst = ours.iter().zip(original).map(off).fold(0.0, f32::max);
    println!(
        "{what}: {} numbers, largest difference {worst:.1e}",
        ours.len()
    );
    assert!(worst < 1e-3, "{what} differs by {worst}");
}

fn same_faces(ours: &[Found], original: &[Face], side: f32, what: &str) {
    assert_eq!(ours.len(), original.len(), "{what}");
    for (
        face,
        Face {
            score,
            area: [x, y, width, height],
        },
    ) in ours.iter().zip(original)
    {
        assert!((face.score - score).abs() < 1e-3, "{what}");
        let area = Rect {
            x: x * side,
            y: y * side,
            width: width * side,
            height: height * side,
        };
        assert!(
            face.area.iou(&area) > 0.99,
            "{what}: {:?} {area:?}",
            face.area
        );
    }
}
