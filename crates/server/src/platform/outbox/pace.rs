//! How long to wait before the next attempt.

use chrono::TimeDelta;
use rand::RngExt as _;

/// Waits that grow from one attempt to the next.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The wait after the first failure, seconds.
    pub first: f64,
    /// By how much each is longer than the one before.
    pub growth: f64,
    /// The longest of them, seconds.
    pub longest: f64,
}

impl Pace {
    /// The wait after so many attempts: between half of what the growth says and all of it, so that what failed
    /// together does not come back together.
    #[must_use]
    pub fn wait(&self, attempts: i32) -> TimeDelta {
        let grown = self.first * self.growth.powi(attempts.saturating_sub(1).clamp(0, 64));
        let seconds = grown.min(self.longest) * rand::rng().random_range(0.5..=1.0);
        #[allow(
            clippy::cast_possible_truncation,
            reason = "bounded by the longest wait"
        )]
        let millis = (seconds * 1000.0) as i64;
        TimeDelta::milliseconds(millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_longest_and_differ() {
        let pace = Pace {
            first: 5.0,
            growth: 4.0,
            longest: 600.0,
        };
        for (attempts, full) in [
            (0, 5),
            (1, 5),
            (2, 20),
            (3, 80),
            (4, 320),
            (5, 600),
            (i32::MAX, 600),
        ] {
            let full = TimeDelta::seconds(full);
            let waits: Vec<_> = (0..50).map(|_| pace.wait(attempts)).collect();
            assert!(
                waits.iter().all(|wait| *wait >= full / 2 && *wait <= full),
                "{attempts}"
            );
            assert!(waits.iter().any(|wait| *wait != waits[0]), "{attempts}");
        }
    }
}
