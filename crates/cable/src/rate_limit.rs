//! How often one connection asks the application for something.

use std::time::Duration;

use tokio::time::Instant;

/// A limit of so many at once and then one for each interval, as the generic cell rate algorithm
/// (ITU-T I.371) keeps it: in one instant, no counter and no timer.
#[derive(Debug, Default)]
pub(crate) struct RateLimit {
    /// When all that has been asked would be due, had it come evenly.
    due: Option<Instant>,
}

impl RateLimit {
    /// Whether one more is allowed now; if so, it is counted.
    pub(crate) fn allows(&mut self, burst: u32, every: Duration) -> bool {
        let now = Instant::now();
        let due = self.due.map_or(now, |due| due.max(now));
        let ahead = every.saturating_mul(burst.max(1) - 1);
        if due - now > ahead {
            return false;
        }
        self.due = due.checked_add(every);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_and_then_an_even_pace() {
        let every = Duration::from_millis(100);
        let mut pace = RateLimit::default();
        let mut allowed = |n: usize| (0..n).filter(|_| pace.allows(3, every)).count();
        assert_eq!(allowed(5), 3);
        tokio::time::advance(every).await;
        assert_eq!(allowed(5), 1);
        tokio::time::advance(every * 2).await;
        assert_eq!(allowed(5), 2);
        tokio::time::advance(every * 100).await;
        assert_eq!(allowed(5), 3, "time unused does not add up");
    }
}
