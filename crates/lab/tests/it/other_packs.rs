//! Real packs of other makes, where a folder of such packs is named.

use face::{Engine, FaceEngine, FmrLevel};
use lab::evaluation::{Method, enrol, evaluate, photos};

use crate::build;

/// With `AXIAM_TEST_PACKS` naming a folder of packs: each loads, finds the demo faces and tells them apart.
#[test]
fn real_packs_tell_the_demo_faces_apart() {
    let Some(folder) = std::env::var_os("AXIAM_TEST_PACKS") else {
        println!("SKIPPED: AXIAM_TEST_PACKS names no folder of packs");
        return;
    };
    let mut measured = 0;
    for dir in std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        if !dir.join("manifest.json").exists() {
            continue;
        }
        let engine = Engine::load(&dir).unwrap();
        let samples = enrol(
            &engine,
            photos(&build().join("demo-faces")).unwrap(),
            |_| {},
        )
        .unwrap();
        let result = evaluate(&samples, engine.pack(), &Method::default());
        println!(
            "{}: FTE {}, {:?} {:?}",
            dir.display(),
            result.fte,
            result.worst_mated,
            result.best_non_mated
        );
        let threshold = engine.pack().threshold(FmrLevel::OneIn1000);
        assert_eq!(result.fte, 0);
        assert!(result.best_non_mated.unwrap().distance > threshold);
        measured += 1;
    }
    assert!(measured > 0, "no pack in AXIAM_TEST_PACKS");
}
