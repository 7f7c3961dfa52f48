//! Thresholds for a pack: how near strangers come to each other, and how surely that is known.

use face::{FmrLevel, PackInfo, Template};
use serde::Serialize;

use super::enrol::Sample;
use super::measure::Method;
use super::statistics::drawn;

/// Part of the pairs, the nearest, that is kept one by one; thresholds beyond it are not asked for.
const KEPT: f64 = 0.01;
/// The false match rates of the printed curve.
const CURVE: [f64; 7] = [1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5];
/// Draws of persons for an interval.
const DRAWS: usize = 500;
/// Least number of false matches that a threshold may rest on.
const LEAST: f64 = 1.0;

/// How near strangers come to each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// The pack the photos were looked at with.
    pub pack: PackInfo,
    /// Photos with a usable face.
    pub photos: usize,
    /// Persons with such a photo.
    pub persons: usize,
    /// Photos without.
    pub failed: usize,
    /// Pairs of photos of two persons.
    pub pairs: u64,
    /// Where the curve passes round rates.
    pub curve: Vec<Threshold>,
    /// What the manifest needs.
    pub levels: Vec<(FmrLevel, Threshold)>,
    /// The same among persons alike in every group, where there is a table of groups.
    pub alike: Option<Box<Alike>>,
}

/// How near strangers of one kind come to each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alike {
    /// Pairs of photos of two such persons.
    pub pairs: u64,
    /// Their false match rate at the thresholds of all pairs, by level.
    pub rates: Vec<(FmrLevel, f64)>,
    /// The thresholds that would hold the levels among them.
    pub levels: Vec<(FmrLevel, Threshold)>,
}

/// The distance at which strangers match at a rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Threshold {
    /// The rate.
    pub fmr: f64,
    /// The distance, `None` where there are too few pairs to tell.
    pub distance: Option<f32>,
    /// 95 % of it, from drawing the persons anew.
    pub bootstrap: Option<[f32; 2]>,
}

/// A pair of two persons' photos.
struct Pair {
    distance: f32,
    persons: [usize; 2],
}

/// All pairs of one kind: the nearest one by one, the others as a number.
struct Strangers {
    pairs: Vec<Pair>,
    total: u64,
    persons: usize,
    seed: u64,
}

/// Compares every photo with every other person's.
pub fn calibrate(samples: &[Sample], pack: &PackInfo, method: &Method) -> Calibration {
    let usable: Vec<(&str, &Template)> = samples
        .iter()
        .filter_map(|s| Some((s.photo.person.as_str(), s.template.as_ref().ok()?)))
        .collect();
    let mut names: Vec<&str> = usable.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    let all = Strangers::of(&usable, &names, method.seed, |_, _| true);
    let levels = all.levels();
    let alike = method.groups.as_ref().map(|groups| {
        let alike = Strangers::of(&usable, &names, method.seed, |a, b| groups.alike(a, b));
        let rates = levels.iter().filter_map(|(level, threshold)| {
            let near = alike.up_to(threshold.distance?);
            Some((*level, near as f64 / alike.total.max(1) as f64))
        });
        Box::new(Alike {
            pairs: alike.total,
            rates: rates.collect(),
            levels: alike.levels(),
        })
    });
    Calibration {
        pack: pack.clone(),
        photos: usable.len(),
        persons: names.len(),
        failed: samples.len() - usable.len(),
        pairs: all.total,
        curve: CURVE.map(|fmr| all.threshold(fmr)).to_vec(),
        levels,
        alike,
    }
}

impl Strangers {
    fn of(
        usable: &[(&str, &Template)],
        names: &[&str],
        seed: u64,
        counts: impl Fn(&str, &str) -> bool,
    ) -> Self {
        let mut pairs = Vec::new();
        let mut total = 0_u64;
        for (i, (name, template)) in usable.iter().enumerate() {
            for (other, compared) in &usable[..i] {
                if name == other || !counts(name, other) {
                    continue;
                }
                // Templates of one engine always compare.
                let Ok(distance) = template.distance(compared) else {
                    continue;
                };
                let person = |name| names.binary_search(name).unwrap_or_default();
                total += 1;
                pairs.push(Pair {
                    distance,
                    persons: [person(name), person(other)],
                });
                // Kept small: never more than twice what is needed.
                if pairs.len() > 1_000_000 {
                    keep_nearest(&mut pairs, total);
                }
            }
        }
        keep_nearest(&mut pairs, total);
        pairs.sort_by(|a, b| a.distance.total_cmp(&b.distance));
        Self {
            pairs,
            total,
            persons: names.len(),
            seed,
        }
    }

    fn levels(&self) -> Vec<(FmrLevel, Threshold)> {
        let levels = FmrLevel::ALL.into_iter();
        levels
            .map(|level| (level, self.threshold(level.rate())))
            .collect()
    }

    /// How many pairs are no farther apart than this.
    fn up_to(&self, distance: f32) -> usize {
        self.pairs.partition_point(|pair| pair.distance <= distance)
    }

    fn threshold(&self, fmr: f64) -> Threshold {
        let everyone = vec![1.0; self.persons];
        let distance = self.at(fmr, &everyone);
        let drawn = match distance {
            Some(_) => drawn(self.persons, DRAWS, self.seed, |times| self.at(fmr, times)),
            None => Vec::new(),
        };
        let mut drawn: Vec<f32> = drawn.into_iter().flatten().collect();
        drawn.sort_by(f32::total_cmp);
        let part = |p: f64| drawn.get((p * drawn.len().saturating_sub(1) as f64).round() as usize);
        let bootstrap = part(0.025)
            .zip(part(0.975))
            .map(|(low, high)| [*low, *high]);
        Threshold {
            fmr,
            distance,
            bootstrap,
        }
    }

    /// The largest distance at which no more than this part of the pairs match, each person counted so many times.
    fn at(&self, fmr: f64, times: &[f64]) -> Option<f32> {
        let weight = |pair: &Pair| pair.persons.map(|p| times.get(p).copied().unwrap_or(0.0));
        let may = fmr * self.total as f64;
        if may < LEAST {
            return None;
        }
        let mut sum = 0.0;
        let mut last = None;
        for pair in &self.pairs {
            let [a, b] = weight(pair);
            sum += a * b;
            if sum > may {
                return last;
            }
            last = Some(pair.distance);
        }
        last
    }
}

/// Keeps the nearest of the pairs seen so far, and the largest rate's worth of them.
fn keep_nearest(pairs: &mut Vec<Pair>, total: u64) {
    let needed = ((total as f64 * 4.0 * KEPT) as usize).max(1000);
    if pairs.len() > needed {
        pairs.select_nth_unstable_by(needed, |a, b| a.distance.total_cmp(&b.distance));
        pairs.truncate(needed);
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{pack, sample};
    use super::*;

    /// Persons in a row, a hundredth apart.
    fn row(count: u16) -> Vec<Sample> {
        (0..count)
            .map(|i| sample(&format!("p{i:03}/1.jpg"), Some(f32::from(i) / 100.0)))
            .collect()
    }

    #[test]
    fn a_threshold_lets_its_part_of_the_pairs_through() {
        let found = calibrate(&row(100), &pack(), &Method::default());
        assert_eq!((found.persons, found.pairs), (100, 4950));
        // 99 pairs are a hundredth apart, of which a hundredth of all, 49, may match: none of them does, for they
        // are all as near. So the threshold stays just under the rate.
        let one = found.curve[0];
        assert!((one.fmr, one.distance.is_some()) == (1e-2, true), "{one:?}");
        let [low, high] = one.bootstrap.unwrap();
        assert!(low <= one.distance.unwrap() && one.distance.unwrap() <= high);
        // 4950 pairs cannot show one match in 10,000.
        assert_eq!(found.levels[1].1.distance, None);
        assert_eq!(found.levels[1].1.bootstrap, None);
    }

    #[test]
    fn a_persons_own_photos_are_no_strangers() {
        let samples = [
            sample("a/1.jpg", Some(0.0)),
            sample("a/2.jpg", Some(0.0)),
            sample("b/1.jpg", Some(1.0)),
            sample("c/1.jpg", None),
        ];
        let found = calibrate(&samples, &pack(), &Method::default());
        assert_eq!((found.photos, found.persons, found.failed), (3, 2, 1));
        assert_eq!(found.pairs, 2);
    }
}
