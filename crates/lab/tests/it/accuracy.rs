//! Error rates on real photos.

use face::{FaceEngine, FmrLevel, Template};
use lab::evaluation::{Evaluation, Method, Sample, enrol, evaluate, photos};

use crate::{ENGINE, build, root};

fn run(dir: &std::path::Path) -> Evaluation {
    let samples = enrol(&*ENGINE, photos(dir).expect("run `make models`"), |_| {}).unwrap();
    for sample in &samples {
        if let Err(e) = &sample.template {
            println!("{}: {e}", sample.photo.name);
        }
    }
    let result = evaluate(&samples, ENGINE.pack(), &Method::default());
    println!(
        "{} photos, {} persons, FTE {}; worst mated {:?}; best non-mated {:?}",
        result.photos, result.persons, result.fte, result.worst_mated, result.best_non_mated
    );
    result
}

#[test]
fn demo_faces_match_themselves_and_nobody_else() {
    let result = run(&build().join("demo-faces"));
    assert!(result.persons >= 4, "several persons are needed");
    assert_eq!(result.fte, 0);
    assert_eq!(result.photos, 2 * result.persons);
    let threshold = ENGINE.pack().threshold(FmrLevel::default());
    assert!(result.worst_mated.unwrap().distance < threshold);
    assert!(result.best_non_mated.unwrap().distance > threshold);
}

/// The baseline to keep: every face found, and a gap between people.
#[test]
fn shared_photos_keep_the_baseline() {
    let dir = root().join("../shared/faces/photos");
    if !dir.is_dir() {
        println!("SKIPPED: {} is not on this machine", dir.display());
        return;
    }
    let result = run(&dir);
    assert_eq!(result.fte, 0);
    // One photo against one: how many of 72 pairs may be refused from lenient to strict.
    for (rates, refused) in result.trials[0].levels.iter().zip([1, 1, 3]) {
        assert_eq!(rates.fmr.errors, 0, "{rates:?}");
        assert!(rates.fnmr.errors <= refused, "{rates:?}");
    }
}

/// Three photos of one person fused: nearer to the person's other photos than to anyone else's, by far.
#[test]
fn three_fused_photos_pass_the_strict_threshold() {
    let dir = root().join("../shared/faces/photos");
    if !dir.is_dir() {
        println!("SKIPPED: {} is not on this machine", dir.display());
        return;
    }
    let threshold = ENGINE.pack().threshold(FmrLevel::OneIn10000);
    let samples = enrol(&*ENGINE, photos(&dir).unwrap(), |_| {}).unwrap();
    let (mut mated, mut refused) = (0, 0);
    for probe in &samples {
        for person in samples.chunk_by(|a, b| a.photo.person == b.photo.person) {
            let Some(reference) = reference(person, probe) else {
                continue;
            };
            let distance = reference
                .distance(probe.template.as_ref().unwrap())
                .unwrap();
            if person[0].photo.person == probe.photo.person {
                mated += 1;
                refused += usize::from(distance > threshold);
            } else {
                assert!(
                    distance > threshold,
                    "{} is {distance} from {}",
                    probe.photo.name,
                    person[0].photo.person
                );
            }
        }
    }
    println!("{mated} probes against three fused photos, {refused} refused at {threshold}");
    assert!(mated == 28 && refused == 0, "{refused} of {mated}");
}

/// The first three photos of a person that are not the probe; `None` if there are fewer.
fn reference(person: &[Sample], probe: &Sample) -> Option<Template> {
    let others = person.iter().filter(|s| s.photo != probe.photo);
    let three: Vec<Template> = others
        .take(3)
        .map(|s| s.template.clone().unwrap())
        .collect();
    (three.len() == 3).then(|| Template::fuse(&three).unwrap())
}
