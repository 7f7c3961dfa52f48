//! A clock that moves only when told.

use std::{
    future::Future,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::TimeDelta;
use server::platform::clock::{Clock, Moment, SystemClock};

/// Starts at the present, so that it agrees with what reads the real clock, and stands still.
pub struct TestClock(Mutex<Told>);

/// What the clock says, and what has passed, which is something else when a clock was set.
#[derive(Clone, Copy)]
struct Told {
    now: Moment,
    passed: Duration,
}

impl Default for TestClock {
    fn default() -> Self {
        Self(Mutex::new(Told {
            now: SystemClock.now(),
            passed: Duration::ZERO,
        }))
    }
}

impl TestClock {
    /// Lets so many seconds pass; if negative, the clock is set back.
    pub fn advance(&self, seconds: i64) {
        self.move_by(TimeDelta::seconds(seconds));
    }

    /// Sets the clock by so many seconds, which do not pass.
    pub fn step(&self, seconds: i64) {
        self.told().now += TimeDelta::seconds(seconds);
    }

    fn move_by(&self, time: TimeDelta) {
        let mut told = self.told();
        told.now += time;
        // Time does not go back, whatever clocks say.
        told.passed += time.to_std().unwrap_or_default();
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for TestClock {
    fn now(&self) -> Moment {
        self.told().now
    }

    fn passed(&self) -> Duration {
        self.told().passed
    }
}

/// A phone in a test lives in the server's time.
impl phone::Clock for TestClock {
    fn now(&self) -> Moment {
        Clock::now(self)
    }

    fn pass(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.move_by(TimeDelta::from_std(time).expect("a time that can be"));
        Box::pin(std::future::ready(()))
    }
}
