//! A pack that is not whole is refused with a sentence that names the file.

use std::path::Path;

use face::{Engine, FaceEngine, FmrLevel};

use crate::{ENGINE, pack_dir};

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

#[test]
fn a_missing_folder_or_file_is_named() {
    let dir = copy();
    assert!(problem(&dir.path().join("nowhere")).contains("manifest.json cannot be read"));
    std::fs::remove_file(dir.path().join("face_recognition.onnx")).unwrap();
    assert!(problem(dir.path()).contains("face_recognition.onnx cannot be read"));
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
    assert!(
        problem(dir.path())
            .contains("face_recognition.onnx gives [1, 128] where [1, 512] is expected")
    );
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
        ("\"version\": \"1\"", "\"version\": \"\"", "needs a version"),
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
