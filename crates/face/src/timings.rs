//! How much work each part of an engine has done: for benchmarks, and for whoever watches a server.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Work of one kind since the engine was loaded, all threads together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    /// How often it was done.
    pub times: u64,
    /// How long in sum, by the clock on the wall.
    pub took: Duration,
}

/// How long each part of the way from photo to template took, and how often it was taken, since the engine was
/// loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timings {
    /// Decoding: from a file's bytes to pixels.
    pub decode: Work,
    /// Finding: from pixels to the box of a face.
    pub detect: Work,
    /// From the box to landmarks and mesh.
    pub landmarks: Work,
    /// From landmarks to a template, with the measures of quality.
    pub embed: Work,
    /// Looking for a screen: its grid and its frame.
    pub screen: Work,
    /// Comparing skin.
    pub skin: Work,
    /// Runs of each detector network, from cheap to strong.
    pub detector_nets: Vec<Work>,
    /// Runs of the landmark network.
    pub landmark_net: Work,
    /// Runs of the network for the face mesh.
    pub mesh_net: Work,
    /// Runs of the recognition network; a face and its mirror image are two, also if run together.
    pub recognition_net: Work,
}

/// Adds up work of one kind. Cheap enough to be always on: two additions a network run.
#[derive(Debug, Default)]
pub(crate) struct Stopwatch {
    times: AtomicU64,
    nanos: AtomicU64,
}

impl Stopwatch {
    /// Does the work and counts it once.
    pub(crate) fn time<T>(&self, work: impl FnOnce() -> T) -> T {
        self.time_many(1, work)
    }

    /// Does work that stands for `times` of its kind.
    pub(crate) fn time_many<T>(&self, times: u64, work: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let done = work();
        let nanos = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
        self.times.fetch_add(times, Ordering::Relaxed);
        done
    }

    /// The sum so far.
    pub(crate) fn work(&self) -> Work {
        Work {
            times: self.times.load(Ordering::Relaxed),
            took: Duration::from_nanos(self.nanos.load(Ordering::Relaxed)),
        }
    }
}

/// One watch for each part of the way from photo to template.
#[derive(Debug, Default)]
pub(crate) struct Stages {
    pub decode: Stopwatch,
    pub detect: Stopwatch,
    pub landmarks: Stopwatch,
    pub embed: Stopwatch,
    pub screen: Stopwatch,
    pub skin: Stopwatch,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_adds_up() {
        let watch = Stopwatch::default();
        assert_eq!(watch.time(|| 7), 7);
        watch.time_many(2, || ());
        assert_eq!(watch.work().times, 3);
    }
}
