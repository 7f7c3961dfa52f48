//! Counters, for metrics and for tests.

use std::fmt::Write as _;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Upper bounds of the buckets of [`Latency`]; a last bucket holds what took longer.
pub const LATENCY_BOUNDS: [Duration; 14] = [
    Duration::from_micros(250),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_micros(2_500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_millis(2_500),
    Duration::from_secs(10),
];

const BUCKETS: usize = LATENCY_BOUNDS.len() + 1;

/// How long messages took from [`Cable::broadcast`](crate::Cable::broadcast) to the socket of a
/// subscriber: queued, carried, written. Only of live messages; what waits for a subscription
/// that is in the making or catching up is not counted. What another process has broadcast is
/// measured by the clocks of both, so hosts should keep the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// Messages by the bucket of [`LATENCY_BOUNDS`] they fall into, each counted once.
    pub buckets: [u64; BUCKETS],
    /// The sum of all.
    pub sum: Duration,
}

impl Latency {
    /// How many messages were measured.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The bound below which this share (0 to 1) of the messages stayed; `None` without messages
    /// or if it is beyond the last bound.
    pub fn below(&self, share: f64) -> Option<Duration> {
        let wanted = share * self.count() as f64;
        let mut seen = 0;
        LATENCY_BOUNDS
            .iter()
            .zip(&self.buckets)
            .find_map(|(bound, count)| {
                seen += count;
                (seen > 0 && seen as f64 >= wanted).then_some(*bound)
            })
    }
}

/// What kind of number a [`Stats`] field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Goes up and down.
    Level,
    /// Only grows, from 0 when the process started.
    Counter,
}

/// One number of [`Stats`], for those who export all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// The name of the field.
    pub name: &'static str,
    /// What it counts, in a sentence.
    pub help: &'static str,
    /// Whether it can fall.
    pub kind: Kind,
    /// What it is now.
    pub value: u64,
}

/// Names every number once: the field of [`Stats`], the counter behind it, what it means.
macro_rules! numbers {
    ($($kind:ident $name:ident $help:literal)*) => {
        /// A moment's numbers of a cable in this process.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Stats {
            $(#[doc = $help] pub $name: u64,)*
            /// From broadcast to written.
            pub latency: Latency,
        }

        impl Stats {
            /// Every number but the latencies.
            pub fn numbers(&self) -> impl Iterator<Item = Number> {
                [$(Number {
                    name: stringify!($name),
                    help: $help,
                    kind: Kind::$kind,
                    value: self.$name,
                },)*].into_iter()
            }
        }

        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: AtomicU64,)*
            latency: Histogram,
        }

        impl Counters {
            pub(crate) fn read(&self) -> Stats {
                Stats {
                    $($name: self.$name.load(Relaxed),)*
                    latency: self.latency.read(),
                }
            }
        }
    };
}

numbers! {
    Level connections "Connections now open."
    Level subscriptions "Subscriptions now confirmed."
    Level streams "Streams now followed by someone here."
    Counter connected "Connections ever opened."
    Counter refused "Connections refused because of a limit or while draining."
    Counter broadcasts "Messages broadcast from this process."
    Counter delivered "Messages handed to connections (written, not necessarily received)."
    Counter replayed "Messages sent again from the history."
    Counter resumed "Sessions resumed."
    Counter not_resumed "Sessions that a client wanted to resume and that were not known."
    Counter history_misses "Requests for history that could not be met."
    Counter rejected "Subscriptions rejected."
    Counter limited "Commands turned away because they came too fast."
    Counter malformed "Frames that were not understood and ignored."
    Counter oversized "Connections ended because of a frame that was too large."
    Counter slow_readers "Connections dropped because they read too slowly."
    Counter no_pongs "Connections dropped because pings were not answered."
    Counter lost "Broadcasts that the fan-out could not carry and gave up."
    Counter reconnections "Times that the fan-out had to connect again."
    Counter recovered "News that the fan-out missed while it was away and read later."
}

impl Counters {
    pub(crate) fn took(&self, latency: Duration) {
        self.latency.record(latency);
    }
}

#[derive(Debug, Default)]
struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    micros: AtomicU64,
}

impl Histogram {
    fn record(&self, latency: Duration) {
        let bucket = LATENCY_BOUNDS.partition_point(|bound| *bound < latency);
        self.buckets[bucket].fetch_add(1, Relaxed);
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, Relaxed);
    }

    fn read(&self) -> Latency {
        Latency {
            buckets: std::array::from_fn(|at| self.buckets[at].load(Relaxed)),
            sum: Duration::from_micros(self.micros.load(Relaxed)),
        }
    }
}

impl Stats {
    /// All numbers in the text format of Prometheus (version 0.0.4), each name begun with
    /// `<prefix>_`.
    pub fn prometheus(&self, prefix: &str) -> String {
        let mut text = String::new();
        for number in self.numbers() {
            let (kind, suffix) = match number.kind {
                Kind::Level => ("gauge", ""),
                Kind::Counter => ("counter", "_total"),
            };
            let name = format!("{prefix}_{}{suffix}", number.name);
            // Writing to a string cannot fail.
            let _ = writeln!(text, "# HELP {name} {}", number.help);
            let _ = writeln!(text, "# TYPE {name} {kind}\n{name} {}", number.value);
        }
        let name = format!("{prefix}_latency_seconds");
        let _ = writeln!(text, "# HELP {name} From broadcast to written.");
        let _ = writeln!(text, "# TYPE {name} histogram");
        let mut seen = 0;
        for (bound, count) in LATENCY_BOUNDS.iter().zip(&self.latency.buckets) {
            seen += count;
            let bound = bound.as_secs_f64();
            let _ = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {seen}");
        }
        let count = self.latency.count();
        let _ = writeln!(text, "{name}_bucket{{le=\"+Inf\"}} {count}");
        let _ = writeln!(text, "{name}_sum {}", self.latency.sum.as_secs_f64());
        let _ = writeln!(text, "{name}_count {count}");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_fall_into_buckets() {
        let counters = Counters::default();
        assert_eq!(counters.read().latency.below(0.5), None);
        for millis in [0, 1, 1, 3, 20_000] {
            counters.took(Duration::from_millis(millis));
        }
        let latency = counters.read().latency;
        assert_eq!(latency.count(), 5);
        assert_eq!(latency.sum, Duration::from_millis(20_005));
        assert_eq!(latency.below(0.2), Some(Duration::from_micros(250)));
        assert_eq!(latency.below(0.6), Some(Duration::from_millis(1)));
        assert_eq!(latency.below(0.8), Some(Duration::from_millis(5)));
        assert_eq!(latency.below(1.0), None, "one took longer than any bound");
    }

    #[test]
    fn prometheus_text_has_every_number() {
        let counters = Counters::default();
        counters.connections.store(7, Relaxed);
        counters.slow_readers.store(2, Relaxed);
        counters.took(Duration::from_millis(2));
        let text = counters.read().prometheus("cable");
        let has = |line: &str| assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
        has("# TYPE cable_connections gauge");
        has("cable_connections 7");
        has("# TYPE cable_slow_readers_total counter");
        has("cable_slow_readers_total 2");
        has("cable_latency_seconds_bucket{le=\"0.001\"} 0");
        has("cable_latency_seconds_bucket{le=\"0.0025\"} 1");
        has("cable_latency_seconds_bucket{le=\"+Inf\"} 1");
        has("cable_latency_seconds_sum 0.002");
        has("cable_latency_seconds_count 1");
        let values = text.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(
            values,
            counters.read().numbers().count() + LATENCY_BOUNDS.len() + 3
        );
    }
}
