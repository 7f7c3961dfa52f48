//! Time as an argument: nothing else in the program reads the clock.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

/// A moment in UTC, to the microsecond: what both databases keep.
pub type Moment = DateTime<Utc>;

/// Where the time comes from.
pub trait Clock: Send + Sync + 'static {
    /// The present moment, truncated to microseconds.
    fn now(&self) -> Moment;

    /// How much time has passed since some moment, by a clock that nobody sets.
    fn passed(&self) -> Duration;
}

/// The machine's clock, for everything outside tests.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        truncate(Utc::now())
    }

    fn passed(&self) -> Duration {
        static BEGUN: OnceLock<Instant> = OnceLock::new();
        BEGUN.get_or_init(Instant::now).elapsed()
    }
}

/// Drops what the databases would drop, so that a moment equals itself after a round trip.
#[must_use]
pub fn truncate(moment: Moment) -> Moment {
    moment
        .duration_trunc(TimeDelta::microseconds(1))
        .unwrap_or(moment)
}

/// The most by which clocks of two servers, or one clock and what it said before, are believed to
/// differ. What lies further ahead than it can was set by a clock that has been corrected since.
pub const SKEW: TimeDelta = TimeDelta::minutes(5);

/// `seconds` as a span; settings keep lengths of time as seconds.
#[must_use]
pub fn seconds(seconds: u32) -> TimeDelta {
    TimeDelta::seconds(i64::from(seconds))
}

/// After the clock has leapt ahead, how long nothing is forgotten that keeps a proof from being taken twice:
/// if the clock is put right before, the proof would be fresh again.
const HELD: Duration = Duration::from_secs(180);

/// By how much more than the time that passed a clock may move on without having leapt.
const LEAP: TimeDelta = TimeDelta::seconds(60);

/// Watches how the clock moves, beside one that only counts.
#[derive(Debug, Default)]
pub struct Steps {
    before: Option<(Moment, Duration)>,
    leapt: Option<Duration>,
}

impl Steps {
    /// Takes note of the time; whether the clock has not leapt ahead lately.
    pub fn is_steady(&mut self, clock: &dyn Clock) -> bool {
        let (now, at) = (clock.now(), clock.passed());
        if let Some((before, then)) = self.before {
            let passed = TimeDelta::from_std(at.saturating_sub(then)).unwrap_or(TimeDelta::MAX);
            if now - before > passed + LEAP {
                self.leapt = Some(at);
            }
        }
        self.before = Some((now, at));
        self.leapt
            .is_none_or(|leapt| at.saturating_sub(leapt) >= HELD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock that says one thing while another passes.
    struct Told(Moment, Duration);

    impl Clock for Told {
        fn now(&self) -> Moment {
            self.0
        }

        fn passed(&self) -> Duration {
            self.1
        }
    }

    #[test]
    fn a_leap_ahead_is_noticed_for_as_long_as_it_matters() {
        let (mut steps, begun) = (Steps::default(), SystemClock.now());
        let mut steady = |said: i64, passed: u64| {
            let told = Told(
                begun + TimeDelta::seconds(said),
                Duration::from_secs(passed),
            );
            steps.is_steady(&told)
        };
        assert!(steady(0, 0) && steady(1, 1) && steady(3600, 3600));
        assert!(!steady(90_000, 3601), "a day ahead");
        assert!(!steady(3610, 3610), "and put right");
        assert!(!steady(3700, 3780) && steady(3701, 3781));
        assert!(steady(-90_000, 3790), "what goes back forgets nothing");
    }
}
