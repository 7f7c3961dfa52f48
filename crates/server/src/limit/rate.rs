//! The generic cell rate algorithm in its virtual scheduling form (ITU-T I.371): one number for each
//! key, the theoretical arrival time, and no counter.

use crate::platform::clock::SKEW;

/// So many at once, then one for each interval. Times are microseconds.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// By how much each one moves the arrival time on.
    pub(super) interval: i64,
    /// By how much it may run ahead of the present.
    pub(super) window: i64,
}

impl Rate {
    /// `most` in each `window` seconds.
    #[must_use]
    pub fn new(most: u32, window: u32) -> Self {
        let window = i64::from(window) * 1_000_000;
        Self {
            interval: window / i64::from(most.max(1)),
            window,
        }
    }

    /// The furthest arrival time that can be true: one beyond was written by a clock that has been
    /// corrected since, and counts for nothing.
    pub(super) fn furthest(self, now: i64) -> i64 {
        now + self.window + SKEW.num_microseconds().unwrap_or(0)
    }

    /// The arrival time after one more now.
    ///
    /// # Errors
    /// How long to wait, when it would be one too many.
    pub fn take(self, arrival: i64, now: i64) -> Result<i64, i64> {
        let believed = if arrival > self.furthest(now) {
            now
        } else {
            arrival
        };
        let next = believed.max(now) + self.interval;
        let wait = next - now - self.window;
        if wait > 0 { Err(wait) } else { Ok(next) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_at_once_and_then_one_each_interval() {
        let rate = Rate::new(3, 300);
        let second = 1_000_000;
        let mut arrival = 0;
        for _ in 0..3 {
            arrival = rate.take(arrival, 0).unwrap();
        }
        assert_eq!(rate.take(arrival, 0), Err(100 * second));
        assert_eq!(rate.take(arrival, 99 * second), Err(second));
        arrival = rate.take(arrival, 100 * second).unwrap();
        assert_eq!(rate.take(arrival, 150 * second), Err(50 * second));
        assert_eq!(
            rate.take(arrival, 9000 * second),
            Ok(9100 * second),
            "time unused does not add up"
        );
        assert_eq!(
            rate.take(86_400 * second, 0),
            Ok(100 * second),
            "a clock that was a day ahead is not believed"
        );
    }
}
