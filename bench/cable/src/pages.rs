//! Many pages at once, and what they have measured.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::page::Page;

/// Connections that are being made at the same time.
const AT_ONCE: usize = 64;

/// Connects so many pages, wide or [narrow](Page::connect). How many were welcomed in a second comes with them.
pub(crate) async fn connect(
    server: SocketAddr,
    count: usize,
    narrow: bool,
) -> io::Result<(Vec<Page>, f64)> {
    let start = Instant::now();
    let gate = Arc::new(Semaphore::new(AT_ONCE));
    let mut making = JoinSet::new();
    for _ in 0..count {
        let gate = Arc::clone(&gate);
        making.spawn(async move {
            let _turn = gate.acquire().await.map_err(io::Error::other)?;
            let mut page = Page::connect(server, narrow).await?;
            page.until("welcome").await?;
            io::Result::Ok(page)
        });
    }
    let mut pages = Vec::with_capacity(count);
    while let Some(page) = making.join_next().await {
        pages.push(page.map_err(io::Error::other)??);
    }
    let rate = count as f64 / start.elapsed().as_secs_f64();
    Ok((pages, rate))
}

/// Subscribes each page to the stream of its number.
pub(crate) async fn subscribe(
    pages: Vec<Page>,
    stream: impl Fn(usize) -> String,
) -> io::Result<Vec<Page>> {
    let gate = Arc::new(Semaphore::new(AT_ONCE));
    let mut making = JoinSet::new();
    for (at, mut page) in pages.into_iter().enumerate() {
        let (gate, stream) = (Arc::clone(&gate), stream(at));
        making.spawn(async move {
            let _turn = gate.acquire().await.map_err(io::Error::other)?;
            page.subscribe(&stream).await?;
            io::Result::Ok(page)
        });
    }
    let mut pages = Vec::new();
    while let Some(page) = making.join_next().await {
        pages.push(page.map_err(io::Error::other)??);
    }
    Ok(pages)
}

/// Pages that read what comes. Dropping it closes them.
pub(crate) struct Readers {
    tasks: JoinSet<()>,
    latencies: Arc<Mutex<Vec<u64>>>,
}

impl Readers {
    pub(crate) fn new(pages: Vec<Page>) -> Self {
        let latencies = Arc::<Mutex<Vec<u64>>>::default();
        let mut tasks = JoinSet::new();
        for mut page in pages {
            let latencies = Arc::clone(&latencies);
            tasks.spawn(async move {
                while let Ok(latency) = page.latency().await {
                    let mut all = latencies.lock().unwrap_or_else(PoisonError::into_inner);
                    all.push(latency);
                }
            });
        }
        Self { tasks, latencies }
    }

    /// Whether all are connected still.
    pub(crate) fn all_there(&mut self) -> bool {
        self.tasks.try_join_next().is_none()
    }

    /// Waits until so many messages have been read and gives their latencies in nanoseconds; or
    /// how many are missing.
    pub(crate) async fn collect(&self, count: usize, timeout: Duration) -> Result<Vec<u64>, usize> {
        let end = Instant::now() + timeout;
        loop {
            {
                let mut all = self
                    .latencies
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                if all.len() >= count {
                    return Ok(std::mem::take(&mut *all));
                }
                if Instant::now() > end {
                    return Err(count - all.len());
                }
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Half and 99 of 100 of a run's latencies stayed below these, in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Quantiles {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

pub(crate) fn quantiles(mut latencies: Vec<u64>) -> Quantiles {
    latencies.sort_unstable();
    let at = |share: f64| {
        let index = (latencies.len() as f64 * share).ceil() as usize;
        let nanos = latencies.get(index.saturating_sub(1));
        nanos.copied().unwrap_or_default() as f64 / 1e6
    };
    Quantiles {
        p50: at(0.5),
        p99: at(0.99),
    }
}

/// The middle one; of two the mean.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

/// Each quantile's median over several runs.
pub(crate) fn medians(runs: &[Quantiles]) -> Quantiles {
    Quantiles {
        p50: median(runs.iter().map(|run| run.p50).collect()),
        p99: median(runs.iter().map(|run| run.p99).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let latencies = (1..=100).rev().map(|n| n * 1_000_000).collect();
        let Quantiles { p50, p99 } = quantiles(latencies);
        assert_eq!((p50, p99), (50.0, 99.0));
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0]), 2.5);
    }
}
