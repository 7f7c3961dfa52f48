//! The error rates at a pack's own thresholds, with their uncertainty.

use face::{FmrLevel, PackInfo};

use super::compare::{LEVELS, Probe, Reference, Tally};
use super::results::LevelRates;
use super::statistics::{Rate, Resampled, resample};

/// One row for each level, from lenient to strict.
pub(super) fn levels(
    pack: &PackInfo,
    persons: usize,
    references: &[Reference<'_>],
    probes: &[Probe<'_>],
    tally: &Tally,
    seed: u64,
) -> Vec<LevelRates> {
    let each = Each::new(persons, references, probes);
    FmrLevel::ALL
        .into_iter()
        .enumerate()
        .map(|(i, level)| {
            let at = move |counts: &[u64; LEVELS]| counts.get(i).copied().unwrap_or(0);
            let refused = tally.refused.iter().map(|(_, counts)| at(counts)).sum();
            let passed = tally.passed.values().map(at).sum();
            let rate = |errors, trials, resampled: Resampled| Rate {
                bootstrap: resampled.interval(),
                ..Rate::new(errors, trials)
            };
            LevelRates {
                level,
                threshold: pack.threshold(level),
                fmr: rate(
                    passed,
                    tally.non_mated.total(),
                    false_matches(&each, tally, seed, at),
                ),
                fnmr: rate(
                    refused,
                    tally.mated.total(),
                    false_non_matches(tally, seed, at),
                ),
            }
        })
        .collect()
}

/// A person drawn twice brings their comparisons twice.
fn false_non_matches(tally: &Tally, seed: u64, at: impl Fn(&[u64; LEVELS]) -> u64) -> Resampled {
    resample(tally.refused.len(), seed, |times| {
        let persons = tally.refused.iter().zip(times);
        persons.fold((0.0, 0.0), |(errors, trials), ((mated, counts), times)| {
            (
                errors + times * at(counts) as f64,
                trials + times * *mated as f64,
            )
        })
    })
}

/// Comparisons of two people count as often as both were drawn, multiplied; a person drawn twice is
/// still no impostor to themselves.
fn false_matches(
    each: &Each,
    tally: &Tally,
    seed: u64,
    at: impl Fn(&[u64; LEVELS]) -> u64,
) -> Resampled {
    let everyone = vec![1.0; each.references.len()];
    // Pairs of single photos are compared in one direction only: half of what `non_mated` counts.
    let counted = tally.non_mated.total() as f64 / each.non_mated(&everyone).max(1.0);
    resample(everyone.len(), seed, |times| {
        let drawn = |person: usize| times.get(person).copied().unwrap_or(0.0);
        let errors = tally.passed.iter().map(|((reference, probe), counts)| {
            drawn(*reference) * drawn(*probe) * at(counts) as f64
        });
        (errors.sum(), counted * each.non_mated(times))
    })
}

/// How many references and probes each person has.
struct Each {
    references: Vec<f64>,
    probes: Vec<f64>,
}

impl Each {
    fn new(persons: usize, references: &[Reference<'_>], probes: &[Probe<'_>]) -> Self {
        let count = |of: &mut dyn Iterator<Item = usize>| {
            let mut counts = vec![0.0; persons];
            for person in of {
                if let Some(count) = counts.get_mut(person) {
                    *count += 1.0;
                }
            }
            counts
        };
        Self {
            references: count(&mut references.iter().map(|r| r.person)),
            probes: count(&mut probes.iter().map(|p| p.person)),
        }
    }

    /// References of one person with probes of another when each person was drawn so many times: all
    /// with all, less those of one person.
    fn non_mated(&self, times: &[f64]) -> f64 {
        let (mut references, mut probes, mut own) = (0.0, 0.0, 0.0);
        for ((r, p), times) in self.references.iter().zip(&self.probes).zip(times) {
            references += times * r;
            probes += times * p;
            own += times * times * r * p;
        }
        references * probes - own
    }
}

#[cfg(test)]
mod tests {
    use super::super::compare::{compare, probes, references};
    use super::super::fixtures::{pack, sample};
    use super::*;

    /// Persons a to d, two photos each; d looks like c.
    fn rows(enrolled: usize) -> Vec<LevelRates> {
        let samples: Vec<_> = [("a", 0.0), ("b", 5.0), ("c", 9.0), ("d", 9.3)]
            .iter()
            .flat_map(|(name, at)| [1, 2].map(|i| sample(&format!("{name}/{i}.jpg"), Some(*at))))
            .collect();
        let (probes, persons) = probes(&samples);
        let references = references(&probes, enrolled);
        let tally = compare(&pack(), persons, &references, &probes);
        levels(&pack(), persons, &references, &probes, &tally, 1)
    }

    #[test]
    fn the_interval_holds_the_rate_whether_pairs_count_once_or_twice() {
        for (enrolled, errors, trials) in [(1, 4, 24), (2, 4, 24)] {
            let strict = rows(enrolled)[2];
            assert_eq!((strict.fmr.errors, strict.fmr.trials), (errors, trials));
            assert_eq!((strict.fnmr.errors, strict.fnmr.bootstrap), (0, None));
            let [low, high] = strict.fmr.bootstrap.unwrap();
            assert!(
                low == 0.0 && high > strict.fmr.rate && high <= 1.0,
                "{low} {high}"
            );
        }
        // Drawing c and d twice each and nobody else gives 16 errors of 16: the highest there is.
        assert!(rows(1)[2].fmr.bootstrap.unwrap()[1] >= 0.4);
    }
}
