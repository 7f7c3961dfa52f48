//! How far a measured rate may be from the true one.
//!
//! Sources: E. B. Wilson, "Probable inference, the law of succession, and statistical inference" (1927);
//! the rule of 3 and the subject as the unit of resampling: ISO/IEC 19795-1, annex on uncertainty;
//! percentile bootstrap: B. Efron, "Bootstrap methods: another look at the jackknife" (1979).

use serde::Serialize;

/// The two-sided 95 % quantile of the normal distribution.
const Z95: f64 = 1.959_963_985;
/// Resamplings of the persons. More change the bounds by less than their last digit shown.
const RESAMPLINGS: usize = 2000;
/// Where the generator starts: the same photos give the same numbers on every machine.
pub(super) const SEED: u64 = 19_795;

/// A measured error rate with its uncertainty. All rates are 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rate {
    /// How many errors were seen.
    pub errors: u64,
    /// Comparisons (or photos, or persons) in which an error could have been seen.
    pub trials: u64,
    /// Errors over trials; 0 if there are no trials.
    pub rate: f64,
    /// 95 % Wilson score interval, as if the trials were independent of each other.
    pub wilson: [f64; 2],
    /// 95 % percentile interval of a bootstrap over persons, which needs no independence of the
    /// comparisons of one person. `None` where no error was seen: resampling cannot show one either.
    pub bootstrap: Option<[f64; 2]>,
    /// Where no error was seen: the rule of 3. The true rate is at most this with 95 % confidence.
    pub at_most: Option<f64>,
}

impl Rate {
    /// `errors` of `trials`, without a bootstrap.
    pub fn new(errors: u64, trials: u64) -> Self {
        Self {
            errors,
            trials,
            rate: errors as f64 / trials.max(1) as f64,
            wilson: wilson(errors, trials),
            bootstrap: None,
            at_most: (errors == 0).then(|| rule_of_three(trials)),
        }
    }

    /// Whether the rule of 30 holds: with 30 errors or more the true rate lies, with 90 % confidence,
    /// within 30 % of the measured one (ISO/IEC 19795-1).
    pub fn is_firm(&self) -> bool {
        self.errors >= 30
    }
}

/// The 95 % Wilson score interval of `errors` in `trials`; everything is possible without trials.
fn wilson(errors: u64, trials: u64) -> [f64; 2] {
    if trials == 0 {
        return [0.0, 1.0];
    }
    let n = trials as f64;
    let p = errors as f64 / n;
    let center = p + Z95 * Z95 / (2.0 * n);
    let spread = Z95 * (p * (1.0 - p) / n + Z95 * Z95 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z95 * Z95 / n;
    // At the ends rounding would leave 1e-18 instead of 0.
    let low = if errors == 0 {
        0.0
    } else {
        (center - spread) / scale
    };
    let high = if errors == trials {
        1.0
    } else {
        (center + spread) / scale
    };
    [low, high]
}

/// No error in `trials`: the true rate is at most this with 95 % confidence. The rule's 3 over the
/// number of trials stands for `1 - 0.05^(1 / trials)`.
fn rule_of_three(trials: u64) -> f64 {
    (3.0 / trials.max(1) as f64).min(1.0)
}

/// What one kind of error looks like person by person, for the bootstrap.
pub(super) struct Resampled {
    /// Errors and trials of every draw of persons.
    draws: Vec<(f64, f64)>,
}

impl Resampled {
    /// The 95 % percentile interval of the rate, `None` without any error.
    pub(super) fn interval(&self) -> Option<[f64; 2]> {
        let mut rates: Vec<f64> = self
            .draws
            .iter()
            .filter(|(_, trials)| *trials > 0.0)
            .map(|(errors, trials)| errors / trials)
            .collect();
        rates.sort_by(f64::total_cmp);
        let last = rates.len().checked_sub(1)?;
        let at = |part: f64| rates.get((part * last as f64).round() as usize).copied();
        let (low, high) = (at(0.025)?, at(0.975)?);
        (high > 0.0).then_some([low, high])
    }
}

/// Draws `persons` persons with replacement, again and again; `count` gives errors and trials when
/// person `i` was drawn `times[i]` times.
pub(super) fn resample(
    persons: usize,
    seed: u64,
    count: impl Fn(&[f64]) -> (f64, f64),
) -> Resampled {
    Resampled {
        draws: drawn(persons, RESAMPLINGS, seed, count),
    }
}

/// What `count` makes of each of so many draws.
pub(super) fn drawn<T>(
    persons: usize,
    draws: usize,
    seed: u64,
    count: impl Fn(&[f64]) -> T,
) -> Vec<T> {
    let mut random = SplitMix(seed);
    let mut times = vec![0.0; persons];
    (0..if persons == 0 { 0 } else { draws })
        .map(|_| {
            times.fill(0.0);
            for _ in 0..persons {
                if let Some(drawn) = times.get_mut(random.below(persons)) {
                    *drawn += 1.0;
                }
            }
            count(&times)
        })
        .collect()
}

/// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014): the same
/// numbers in every version of every library, which is what a report that can be repeated needs.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 to `bound - 1`; the bias of at most `bound` in 2^64 does not show.
    fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: [f64; 2], wanted: [f64; 2]) {
        assert!(
            (got[0] - wanted[0]).abs() < 5e-4 && (got[1] - wanted[1]).abs() < 5e-4,
            "{got:?}"
        );
    }

    /// Newcombe, "Two-sided confidence intervals for the single proportion" (1998), method 3.
    #[test]
    fn wilson_gives_the_published_intervals() {
        near(wilson(81, 263), [0.2553, 0.3662]);
        near(wilson(15, 148), [0.0624, 0.1605]);
        near(wilson(0, 20), [0.0, 0.1611]);
        near(wilson(1, 29), [0.0061, 0.1718]);
        assert_eq!(wilson(5, 5)[1], 1.0);
        assert_eq!(wilson(0, 0), [0.0, 1.0]);
    }

    #[test]
    fn no_error_is_not_no_risk() {
        assert_eq!(Rate::new(0, 558).at_most, Some(3.0 / 558.0));
        assert_eq!(Rate::new(0, 0).at_most, Some(1.0));
        assert_eq!(Rate::new(1, 558).at_most, None);
        assert!(Rate::new(30, 100).is_firm() && !Rate::new(29, 100).is_firm());
    }

    /// Ten persons, all errors with one of them: the bootstrap knows that another ten may have none,
    /// or several such persons; Wilson, who takes the hundred comparisons for independent, does not.
    #[test]
    fn the_bootstrap_sees_that_persons_differ() {
        let draw = |times: &[f64]| (10.0 * times[0], 10.0 * times.iter().sum::<f64>());
        let [low, high] = resample(10, SEED, draw).interval().unwrap();
        assert_eq!(low, 0.0);
        assert!((0.25..=0.4).contains(&high), "{high}");
        assert!(high > wilson(10, 100)[1]);
        assert_eq!(
            resample(10, SEED, draw).interval(),
            resample(10, SEED, draw).interval()
        );
        assert_eq!(resample(10, SEED, |t| (0.0, t[0])).interval(), None);
        assert_eq!(resample(0, SEED, |_| (1.0, 1.0)).interval(), None);
    }
}
