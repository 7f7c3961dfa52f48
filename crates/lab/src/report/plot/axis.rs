//! The normal-deviate axis of a DET plot.

/// The highest rate drawn: beyond one half a system is worse than a coin.
pub(super) const HIGHEST: f64 = 0.5;
/// Rates that get a line and a label.
const TICKS: [f64; 11] = [
    1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.02, 0.05, 0.1, 0.2, 0.4,
];

/// An axis on which normally distributed scores give a straight DET curve (Martin and others, "The DET
/// curve in assessment of detection task performance", 1997).
pub(super) struct Axis {
    /// The lowest rate: half an error in all trials. It stands for "no error seen".
    floor: f64,
    from: f64,
    to: f64,
}

impl Axis {
    /// An axis for a rate measured in so many trials, drawn from `from` (low rates) to `to`.
    pub(super) fn new(trials: u64, from: f64, to: f64) -> Self {
        let floor = (0.5 / trials.max(5) as f64).max(1e-8);
        Self { floor, from, to }
    }

    /// Where a rate lies; 0 lies at the beginning.
    pub(super) fn at(&self, rate: f64) -> f64 {
        let (low, high) = (deviate(self.floor), deviate(HIGHEST));
        let part = (deviate(rate.clamp(self.floor, HIGHEST)) - low) / (high - low);
        self.from + part * (self.to - self.from)
    }

    /// The rates to label, with their words, from 0 upwards.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let mut ticks = vec![(0.0, "0".to_owned())];
        for tick in TICKS.into_iter().filter(|t| *t > self.floor) {
            // Not so near to the one before that their words touch.
            let last = ticks.last().map_or(0.0, |(rate, _)| *rate);
            if (self.at(tick) - self.at(last)).abs() >= 30.0 {
                ticks.push((tick, format!("{} %", (tick * 1e9).round() / 1e7)));
            }
        }
        ticks
    }
}

/// The normal deviate of a probability up to one half: how many standard deviations below the mean it
/// lies. Rational approximation 26.2.23 of Abramowitz and Stegun, "Handbook of Mathematical Functions"
/// (1964), error below 4.5e-4.
fn deviate(p: f64) -> f64 {
    let t = (-2.0 * p.ln()).sqrt();
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    above / below - t
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deviates_are_those_of_the_normal_distribution() {
        for (p, wanted) in [
            (0.5, 0.0),
            (0.158_655, -1.0),
            (0.022_750, -2.0),
            (0.001_35, -3.0),
            (3.167e-5, -4.0),
        ] {
            assert!((deviate(p) - wanted).abs() < 1e-3, "{p}: {}", deviate(p));
        }
    }

    #[test]
    fn the_axis_begins_at_no_error() {
        let axis = Axis::new(558, 300.0, 20.0);
        assert_eq!((axis.at(0.0), axis.at(0.5)), (300.0, 20.0));
        assert!(axis.at(1.0 / 558.0) < 300.0 && axis.at(0.1) < axis.at(0.01));
        let words: Vec<_> = axis.ticks().into_iter().map(|(_, words)| words).collect();
        assert_eq!(words[..3], ["0", "1 %", "5 %"]);
    }
}
