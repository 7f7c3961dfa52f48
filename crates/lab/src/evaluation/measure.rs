//! From samples to error rates.

use face::{FmrLevel, PackInfo};

use super::compare::{self, Probe, Tally};
use super::enrol::Sample;
use super::groups::Groups;
use super::results::{Comparisons, Evaluation, FailedPhoto, GroupRates, Rates, curve};
use super::statistics::{Rate, SEED};
use super::{levels, notes};

/// Photos enrolled per reference: one, which is what other packs are measured with, and as many as
/// an enrolment by phone usually keeps.
const ENROLLED: [usize; 2] = [1, 3];
/// Thresholds are reported every so many bins of the histogram: 0.01 for the default pack.
const STEP: usize = 10;
/// The first threshold reported, in bins.
const FIRST: usize = 300;
/// The last, unless a pack's own thresholds reach further.
const LAST: usize = 800;

/// What an evaluation may be told beside the photos.
#[derive(Debug, Clone)]
pub struct Method {
    /// Where the draws of persons begin, from which the intervals come: the same seed gives the same ones.
    pub seed: u64,
    /// Who belongs to which group; rates are then told by group as well.
    pub groups: Option<Groups>,
}

impl Default for Method {
    fn default() -> Self {
        Self {
            seed: SEED,
            groups: None,
        }
    }
}

/// Compares all samples with each other. `pack` made the templates.
pub fn evaluate(samples: &[Sample], pack: &PackInfo, method: &Method) -> Evaluation {
    let (probes, usable) = compare::probes(samples);
    let trials: Vec<Comparisons> = ENROLLED
        .iter()
        .map(|enrolled| comparisons(pack, &probes, usable, *enrolled, method.seed))
        .collect();
    let mut names: Vec<_> = samples.iter().map(|s| &s.photo.person).collect();
    names.sort();
    names.dedup();
    let failures: Vec<FailedPhoto> = samples
        .iter()
        .filter_map(|sample| {
            Some(FailedPhoto {
                photo: sample.photo.name.clone(),
                reason: sample.template.as_ref().err()?.to_string(),
            })
        })
        .collect();
    let single = trials.first();
    let of = |count: fn(&Comparisons) -> u64| single.map_or(0, |t| count(t) as usize);
    Evaluation {
        notes: notes::notes(&trials, samples.len(), failures.len()),
        photos: samples.len(),
        persons: names.len(),
        fte: failures.len(),
        mated: of(|t| t.mated),
        non_mated: of(|t| t.non_mated),
        worst_mated: single.and_then(|t| t.worst_mated.clone()),
        best_non_mated: single.and_then(|t| t.best_non_mated.clone()),
        thresholds: single.map(|t| t.thresholds.clone()).unwrap_or_default(),
        pack: pack.clone(),
        failure_to_acquire: Rate::new(failures.len() as u64, samples.len() as u64),
        failure_to_enrol: Rate::new((names.len() - usable) as u64, names.len() as u64),
        failures,
        trials,
        groups: by_group(samples, pack, method),
    }
}

/// Photo against photo within each group: its members' own photos, and its members as strangers to each other.
fn by_group(samples: &[Sample], pack: &PackInfo, method: &Method) -> Vec<GroupRates> {
    let Some(groups) = &method.groups else {
        return Vec::new();
    };
    let rates = |group: String| {
        let members = samples
            .iter()
            .filter(|sample| groups.of(&sample.photo.person).contains(&group));
        let (probes, persons) = compare::probes(members.clone());
        let trial = comparisons(pack, &probes, persons, 1, method.seed);
        let (photos, failed) = members.fold((0, 0), |(photos, failed), sample| {
            (photos + 1, failed + u64::from(sample.template.is_err()))
        });
        GroupRates {
            group,
            persons,
            failure_to_acquire: Rate::new(failed, photos),
            levels: trial.levels,
        }
    };
    groups.names().into_iter().map(rates).collect()
}

fn comparisons(
    pack: &PackInfo,
    probes: &[Probe<'_>],
    persons: usize,
    enrolled: usize,
    seed: u64,
) -> Comparisons {
    let references = compare::references(probes, enrolled);
    let tally = compare::compare(pack, persons, &references, probes);
    let mut enrolled_persons: Vec<usize> = references.iter().map(|r| r.person).collect();
    enrolled_persons.dedup();
    let worst_mated = compare::pair(tally.worst_mated, &references, probes);
    let best_non_mated = compare::pair(tally.best_non_mated, &references, probes);
    let gap = match (&worst_mated, &best_non_mated) {
        (Some(worst), Some(best)) => Some(best.distance - worst.distance),
        _ => None,
    };
    Comparisons {
        enrolled,
        persons: enrolled_persons.len(),
        mated: tally.mated.total(),
        non_mated: tally.non_mated.total(),
        worst_mated,
        best_non_mated,
        gap,
        equal_error_rate: equal_error_rate(&curve(&tally.mated, &tally.non_mated)),
        levels: levels::levels(pack, persons, &references, probes, &tally, seed),
        thresholds: thresholds(pack, &tally),
        mated_distances: tally.mated,
        non_mated_distances: tally.non_mated,
    }
}

/// The rates at threshold number `bin` of the histograms.
fn rates(bin: usize, tally: &Tally) -> Rates {
    let part = |count: u64, total: u64| count as f64 / total.max(1) as f64;
    let (mated, non_mated) = (&tally.mated, &tally.non_mated);
    Rates {
        threshold: mated.edge(bin),
        fmr: part(non_mated.up_to(bin), non_mated.total()),
        fnmr: part(mated.total() - mated.up_to(bin), mated.total()),
    }
}

fn thresholds(pack: &PackInfo, tally: &Tally) -> Vec<Rates> {
    let bin = |level| tally.mated.bin_at(f64::from(pack.threshold(level)));
    let first = FIRST.min(bin(FmrLevel::OneIn100000) / STEP * STEP);
    // A quarter beyond the most lenient threshold, where a pack's thresholds are high.
    let last = LAST.max(bin(FmrLevel::OneIn1000) * 5 / 4);
    (first..=last)
        .step_by(STEP)
        .map(|bin| rates(bin, tally))
        .collect()
}

/// Where the two error rates cross, as the mean of the two at the threshold where they are nearest.
fn equal_error_rate(curve: &[Rates]) -> Option<f64> {
    let apart = |r: &Rates| (r.fnmr - r.fmr).abs();
    let nearest = curve.iter().min_by(|a, b| apart(a).total_cmp(&apart(b)))?;
    Some(f64::midpoint(nearest.fnmr, nearest.fmr))
}

#[cfg(test)]
mod tests {
    use face::Thresholds;

    use super::super::fixtures::{pack, sample};
    use super::*;

    fn at(rates: &[Rates], threshold: f64) -> (f64, f64) {
        let found = rates
            .iter()
            .find(|r| (r.threshold - threshold).abs() < 1e-9);
        found.map(|r| (r.fmr, r.fnmr)).unwrap()
    }

    #[test]
    fn pairs_are_counted_and_rated() {
        let samples = [
            sample("a/1.jpg", Some(0.0)),
            sample("a/2.jpg", Some(0.45)),
            sample("a/3.jpg", None),
            sample("b/1.jpg", Some(1.0)),
            sample("c/1.jpg", None),
        ];
        let result = evaluate(&samples, &pack(), &Method::default());
        assert_eq!((result.photos, result.persons, result.fte), (5, 3, 2));
        assert_eq!((result.mated, result.non_mated), (1, 2));
        assert_eq!(result.failure_to_acquire.rate, 0.4);
        assert_eq!(result.failure_to_enrol.errors, 1);
        assert_eq!(result.failures[0].photo, "a/3.jpg");
        let worst = result.worst_mated.unwrap();
        assert_eq!((worst.a.as_str(), worst.b.as_str()), ("a/1.jpg", "a/2.jpg"));
        assert_eq!(result.best_non_mated.unwrap().a, "a/2.jpg");
        assert_eq!(at(&result.thresholds, 0.40), (0.0, 1.0));
        assert_eq!(at(&result.thresholds, 0.50), (0.0, 0.0));
        assert_eq!(at(&result.thresholds, 0.60), (0.5, 0.0));
        assert_eq!(result.thresholds.len(), 51);
        let [lenient, middle, strict] = result.trials[0].levels[..] else {
            panic!()
        };
        assert_eq!(
            (lenient.fmr.errors, middle.fmr.errors, strict.fmr.errors),
            (1, 0, 0)
        );
        assert_eq!(
            (lenient.fnmr.errors, middle.fnmr.errors, strict.fnmr.errors),
            (0, 0, 1)
        );
        assert!((result.trials[0].gap.unwrap() - 0.10).abs() < 1e-6);
        assert_eq!(result.trials[0].equal_error_rate, Some(0.0));
    }

    #[test]
    fn three_photos_are_enrolled_and_the_others_probe() {
        let near = |name, i: u8| sample(name, Some(f32::from(i) / 10.0));
        let samples = [
            near("a/1.jpg", 0),
            near("a/2.jpg", 1),
            near("a/3.jpg", 2),
            near("a/4.jpg", 3),
            near("b/1.jpg", 9),
            near("b/2.jpg", 9),
            near("b/3.jpg", 9),
        ];
        let result = evaluate(&samples, &pack(), &Method::default());
        let trial = &result.trials[1];
        // Four runs of three photos of a, one of b.
        assert_eq!((trial.enrolled, trial.persons), (3, 2));
        assert_eq!((trial.mated, trial.non_mated), (4, 4 * 3 + 4));
        let worst = trial.worst_mated.as_ref().unwrap();
        assert_eq!(worst.a, "a/1.jpg + a/2.jpg + a/3.jpg");
        assert!((worst.distance - 0.2).abs() < 1e-6 && worst.b == "a/4.jpg");
    }

    #[test]
    fn a_pack_with_larger_distances_has_its_thresholds_in_the_table() {
        let thresholds = Thresholds {
            one_in_1000: 1.3,
            one_in_10000: 1.2,
            one_in_100000: 1.1,
        };
        let result = evaluate(
            &[],
            &PackInfo::new("other", "1", thresholds),
            &Method::default(),
        );
        let last = result.thresholds.last().unwrap().threshold;
        assert!(
            result.thresholds[0].threshold <= 0.3 && last >= 1.3,
            "{last}"
        );
    }

    #[test]
    fn a_group_is_compared_within_itself() {
        let samples = [
            sample("a/1.jpg", Some(0.0)),
            sample("a/2.jpg", Some(0.45)),
            sample("b/1.jpg", Some(0.1)),
            sample("b/2.jpg", None),
            sample("c/1.jpg", Some(0.2)),
        ];
        let groups = Groups::parse("person,sex\na,f\nb,f\nc,m\n", "g").unwrap();
        let method = Method {
            groups: Some(groups),
            ..Method::default()
        };
        let result = evaluate(&samples, &pack(), &method);
        let [women, men] = result.groups.as_slice() else {
            panic!()
        };
        assert_eq!((women.group.as_str(), women.persons), ("sex=f", 2));
        assert_eq!(
            (
                women.failure_to_acquire.errors,
                women.failure_to_acquire.trials
            ),
            (1, 4)
        );
        let [lenient, _, strict] = women.levels[..] else {
            panic!()
        };
        assert_eq!((lenient.fmr.errors, lenient.fmr.trials), (2, 2));
        assert_eq!((strict.fnmr.errors, strict.fnmr.trials), (1, 1));
        assert_eq!((men.persons, men.levels[0].fmr.trials), (1, 0));
    }

    #[test]
    fn the_json_keeps_the_promised_fields() {
        let json = serde_json::to_value(evaluate(&[], &pack(), &Method::default())).unwrap();
        for field in [
            "best_non_mated",
            "fte",
            "mated",
            "non_mated",
            "persons",
            "photos",
            "thresholds",
            "worst_mated",
            "failure_to_acquire",
            "failure_to_enrol",
            "failures",
            "pack",
        ] {
            assert!(json.get(field).is_some(), "{field}");
        }
        assert_eq!(json["thresholds"][20]["threshold"], 0.5);
        assert!(json["worst_mated"].is_null());
        assert_eq!(json["trials"][1]["enrolled"], 3);
        assert_eq!(json["trials"][0]["levels"][1]["level"], "1/10000");
        assert_eq!(json["trials"][0]["levels"][1]["fmr"]["wilson"][1], 1.0);
    }

    #[test]
    fn nothing_to_compare_is_no_error_rate() {
        let result = evaluate(&[sample("a/1.jpg", Some(0.1))], &pack(), &Method::default());
        assert_eq!((result.mated, result.non_mated), (0, 0));
        assert_eq!(result.trials[0].equal_error_rate, None);
        assert_eq!(result.trials[0].gap, None);
    }
}
