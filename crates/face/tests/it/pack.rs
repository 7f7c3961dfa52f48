//! A pack that is not whole is refused with a sentence that names the file.

use std::path::Path;

use face::{Engine, FaceEngine, FmrLevel, TemplateError};
use serde_json::{Value, json};

use crate::{ENGINE, build, demo, pack_dir};

/// A copy of the pack in which a test may break things.
fn copy() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(pack_dir()).expect("run `make models`") {
        let file = file.unwrap();
        std::fs::copy(file.path(), dir.path().join(file.file_name())).unwrap();
    }
    dir
}

fn problem(dir: &Path) -> String {
    Engine::load(dir)
        .err()
        .expect("the pack should be refused")
        .to_string()
}

/// Replaces text in the manifest.
fn edit(dir: &Path, from: &str, to: &str) {
    let path = dir.join("manifest.json");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from}");
    std::fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn levels_have_falling_thresholds() {
    let [lenient, middle, strict] = FmrLevel::ALL.map(|level| ENGINE.pack().threshold(level));
    assert!(lenient > middle && middle > strict && strict > 0.0);
    assert_eq!(ENGINE.pack().name(), "default");
}

/// Templates of the pack before are told apart by their version: people enrol again, and nobody is
/// compared across networks.
#[test]
fn the_packs_templates_are_not_compared_with_those_of_others() {
    let photo = demo("person1/01.jpg");
    let dlib = Engine::load(&build().join("dlib")).expect("run `make models`");
    assert_eq!((dlib.pack().name(), dlib.pack().version()), ("dlib", "1"));
    assert_eq!(ENGINE.pack().version(), "2");
    let (ours, other) = (
        ENGINE.template(&photo).unwrap(),
        dlib.template(&photo).unwrap(),
    );
    assert!(!other.is_of(ENGINE.pack()));
    assert_eq!(ours.distance(&other), Err(TemplateError::OtherPack));
}

/// Two networks in one pack: their vectors of unit length, divided by their deviations, one behind the
/// other, and all together of unit length.
#[test]
fn a_pack_may_hold_several_recognisers() {
    let read = |pack: &str| -> Value {
        let text =
            std::fs::read(build().join(pack).join("manifest.json")).expect("run `make models`");
        serde_json::from_slice(&text).unwrap()
    };
    let (mut manifest, dlib) = (read("default"), read("dlib"));
    let mut networks = [manifest["embedding"].clone(), dlib["embedding"].clone()];
    let dir = copy();
    let file = "face_recognition.onnx";
    std::fs::copy(build().join("dlib").join(file), dir.path().join(file)).unwrap();
    let mut load = |deviations: [f64; 2]| {
        for (network, deviation) in networks.iter_mut().zip(deviations) {
            network["deviation"] = json!(deviation);
        }
        manifest["embedding"] = json!(networks);
        std::fs::write(dir.path().join("manifest.json"), manifest.to_string()).unwrap();
        Engine::load(dir.path())
    };
    let fused = load([0.03, 0.04]).unwrap();
    let photos = ["person1/01.jpg", "person2/01.jpg"].map(demo);
    let [one, two] = photos
        .each_ref()
        .map(|photo| fused.template(photo).unwrap());
    assert_eq!(one.dims(), 256);
    // Lengths of 4/5 and 3/5: squares of distances add up by the squares of these.
    let sface = |photo: &Vec<u8>| ENGINE.template(photo).unwrap();
    let alone = sface(&photos[0]).distance(&sface(&photos[1])).unwrap();
    let together = one.distance(&two).unwrap();
    assert!(
        together * together > 0.64 * alone * alone && together < 1.5,
        "{alone} {together}"
    );
    // The other network's share alone decides where the first one's is next to nothing.
    let other = load([2.0, 0.001]).unwrap();
    let [one, two] = photos
        .each_ref()
        .map(|photo| other.template(photo).unwrap());
    assert!(one.distance(&two).unwrap() < alone);
    let refused = load([0.0, 1.0]).err().unwrap().to_string();
    assert!(refused.contains("a deviation of 0"), "{refused}");
    manifest["embedding"][0]
        .as_object_mut()
        .unwrap()
        .remove("deviation");
    std::fs::write(dir.path().join("manifest.json"), manifest.to_string()).unwrap();
    assert!(problem(dir.path()).contains("no deviation of sface.onnx"));
}

#[test]
fn a_missing_folder_or_file_is_named() {
    let dir = copy();
    assert!(problem(&dir.path().join("nowhere")).contains("manifest.json cannot be read"));
    std::fs::remove_file(dir.path().join("sface.onnx")).unwrap();
    assert!(problem(dir.path()).contains("sface.onnx cannot be read"));
}

#[test]
fn a_damaged_file_is_noticed() {
    let dir = copy();
    let path = dir.path().join("face_landmark_68.onnx");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert!(problem(dir.path()).contains("face_landmark_68.onnx is damaged or was replaced"));
}

#[test]
fn a_network_of_another_shape_is_noticed() {
    let dir = copy();
    edit(dir.path(), "\"dimensions\": 128", "\"dimensions\": 512");
    assert!(problem(dir.path()).contains("sface.onnx gives [1, 128] where [1, 512] is expected"));
}

#[test]
fn a_wrong_manifest_is_explained() {
    for (from, to, expected) in [
        ("\"format\": 1", "\"format\": 9", "has format 9"),
        (
            "\"format\": 1",
            "\"format\": 1, \"extra\": 2",
            "unknown field `extra`",
        ),
        (
            "tiny_face_detector.onnx",
            "../tiny_face_detector.onnx",
            "lies elsewhere",
        ),
        ("\"version\": \"2\"", "\"version\": \"\"", "needs a version"),
        (
            "\"1/100000\": ",
            "\"1/100000\": 1",
            "thresholds above 0 that fall",
        ),
    ] {
        let dir = copy();
        edit(dir.path(), from, to);
        let problem = problem(dir.path());
        assert!(problem.contains(expected), "{problem}");
    }
}
