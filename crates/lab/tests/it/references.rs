//! What several references do to the error rates: the numbers of `docs/decisions/0014`.

use face::{FaceEngine, FmrLevel, Protection, Template};
use lab::evaluation::{Sample, enrol, photos};

use crate::{ENGINE, root};

/// Error rates of one rule with `k` references.
#[derive(Default)]
struct Rule {
    mated: Vec<f32>,
    non_mated: Vec<f32>,
}

impl Rule {
    fn add(&mut self, mated: bool, distance: f32) {
        if mated {
            self.mated.push(distance);
        } else {
            self.non_mated.push(distance);
        }
    }

    fn say(&self, name: &str, threshold: f32) -> (usize, f32, f64) {
        let refused = self.mated.iter().filter(|d| **d > threshold).count();
        let nearest = self.non_mated.iter().copied().fold(f32::MAX, f32::min);
        // No stranger is let in at the shipped thresholds, so rates are compared where some are.
        let at = |t: f32| {
            let below = self.non_mated.iter().filter(|d| **d <= t).count();
            below as f64 / self.non_mated.len() as f64
        };
        println!(
            "{name}: FNMR {refused}/{} at {threshold}; nearest stranger {nearest:.3}; FMR at 1.15 {:.4}, at 1.20 {:.4} ({} pairs)",
            self.mated.len(),
            at(1.15),
            at(1.20),
            self.non_mated.len()
        );
        (refused, nearest, at(1.20))
    }
}

/// Compares every probe with `k` photos of each person, by both rules.
fn rules(samples: &[Sample], k: usize) -> (Rule, Rule) {
    let (mut nearest, mut mean) = (Rule::default(), Rule::default());
    for probe in samples {
        let Ok(template) = &probe.template else {
            continue;
        };
        for person in samples.chunk_by(|a, b| a.photo.person == b.photo.person) {
            let references: Vec<Template> = person
                .iter()
                .filter(|sample| sample.photo != probe.photo)
                .filter_map(|sample| sample.template.clone().ok())
                .take(k)
                .collect();
            if references.len() < k {
                continue;
            }
            let mated = person[0].photo.person == probe.photo.person;
            let distances = references.iter().map(|r| r.distance(template).unwrap());
            nearest.add(mated, distances.fold(f32::MAX, f32::min));
            let fused = Template::fuse(&references).unwrap();
            mean.add(mated, fused.distance(template).unwrap());
        }
    }
    (nearest, mean)
}

#[test]
fn the_mean_of_references_refuses_fewer_and_lets_no_stranger_in() {
    let dir = root().join("../shared/faces/photos");
    if !dir.is_dir() {
        println!("SKIPPED: {} is not on this machine", dir.display());
        return;
    }
    let threshold = ENGINE.pack().threshold(FmrLevel::OneIn10000);
    let samples = enrol(&*ENGINE, photos(&dir).unwrap(), |_| {}).unwrap();
    let mut refused = Vec::new();
    for k in 1..=3 {
        let (nearest, mean) = rules(&samples, k);
        nearest.say(&format!("nearest of {k}"), threshold);
        let (missed, stranger, _) = mean.say(&format!("mean of {k}   "), threshold);
        assert!(stranger > threshold, "a stranger at {stranger}");
        refused.push(missed);
    }
    assert!(refused[2] <= refused[0], "{refused:?}");
}

#[test]
fn protected_photos_compare_as_plain_ones_do() {
    let dir = root().join("models/build/demo-faces");
    let samples = enrol(&*ENGINE, photos(&dir).expect("run `make models`"), |_| {}).unwrap();
    let plain: Vec<Template> = samples.into_iter().map(|s| s.template.unwrap()).collect();
    let protection = Protection::from_secret(&[7; 32], plain[0].dims()).unwrap();
    let hidden: Vec<_> = plain
        .iter()
        .map(|t| protection.protect(t).unwrap())
        .collect();
    let mut worst = 0.0_f32;
    for i in 0..plain.len() {
        for j in 0..i {
            let before = plain[i].distance(&plain[j]).unwrap();
            let after = hidden[i].distance(&hidden[j]).unwrap();
            worst = worst.max((before - after).abs());
        }
    }
    println!("largest change of a distance: {worst:e}");
    assert!(worst < 1e-5, "{worst}");
}
