//! Time as an argument: proofs tell when they were made, photos how far apart they were taken.

use std::{future::Future, pin::Pin, time::Duration};

use chrono::{DateTime, Utc};

/// A moment in UTC.
pub type Moment = DateTime<Utc>;

/// Where a phone's time comes from.
pub trait Clock: Send + Sync + 'static {
    /// The present moment, which proofs are dated by.
    fn now(&self) -> Moment;

    /// Comes back when so much time has passed.
    fn pass(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The machine's clock, for phones outside tests.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        Utc::now()
    }

    fn pass(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(time))
    }
}
