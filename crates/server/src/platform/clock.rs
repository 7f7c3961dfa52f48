//! Time as an argument: nothing else in the program reads the clock.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

/// A moment in UTC, to the microsecond: what both databases keep.
pub type Moment = DateTime<Utc>;

/// Where the time comes from.
pub trait Clock: Send + Sync + 'static {
    /// The present moment, truncated to microseconds.
    fn now(&self) -> Moment;
}

/// The machine's clock, for everything outside tests.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        truncate(Utc::now())
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
