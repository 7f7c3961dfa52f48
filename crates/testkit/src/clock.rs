//! A clock that moves only when told.

use std::{
    future::Future,
    pin::Pin,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chrono::TimeDelta;
use server::platform::clock::{Clock, Moment, SystemClock};

/// Starts at the present, so that it agrees with what reads the real clock, and stands still.
pub struct TestClock(Mutex<Moment>);

impl Default for TestClock {
    fn default() -> Self {
        Self(Mutex::new(SystemClock.now()))
    }
}

impl TestClock {
    /// Moves on by so many seconds; backwards if negative.
    pub fn advance(&self, seconds: i64) {
        self.move_by(TimeDelta::seconds(seconds));
    }

    fn move_by(&self, time: TimeDelta) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now += time;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Moment {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
