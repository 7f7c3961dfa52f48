//! The table, and the line for machines.

use crate::pages::{Quantiles, median, medians};
use crate::scenario::{Echo, Idle, MixedReaders, Round};
use serde_json::json;

/// Everything that was measured.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) echo: Vec<Echo>,
    pub(crate) floor: Vec<Round>,
    pub(crate) rails: Vec<Round>,
    pub(crate) redis: Vec<Round>,
    pub(crate) memory: Vec<Round>,
    pub(crate) quiet: Vec<MixedReaders>,
    pub(crate) slow: Vec<MixedReaders>,
    pub(crate) stalled: Option<(u64, u64)>,
    pub(crate) idle: Option<Idle>,
}

fn middle<T>(rounds: &[T], of: impl Fn(&T) -> f64) -> f64 {
    median(rounds.iter().map(of).collect())
}

fn quantiles<T>(rounds: &[T], of: impl Fn(&T) -> Quantiles) -> Quantiles {
    medians(&rounds.iter().map(of).collect::<Vec<_>>())
}

fn row(name: &str, cells: impl IntoIterator<Item = String>) {
    let cells: Vec<String> = cells.into_iter().collect();
    println!("| {name} | {} |", cells.join(" | "));
}

impl Report {
    fn sides(&self) -> [&[Round]; 4] {
        [&self.floor, &self.rails, &self.redis, &self.memory]
    }

    fn each(&self, name: &str, cell: impl Fn(&[Round]) -> String) {
        row(name, self.sides().map(cell));
    }

    fn latencies(&self, name: &str, of: impl Fn(&Round) -> Quantiles) {
        self.each(name, |rounds| {
            let Quantiles { p50, p99 } = quantiles(rounds, &of);
            format!("{p50:.2} / {p99:.2}")
        });
    }

    /// How many times longer Rails' p99 is than ours, in each scenario.
    fn ratios(&self, ours: &[Round]) -> [f64; 3] {
        let scenarios: [fn(&Round) -> Quantiles; 3] =
            [|round| round.own, |round| round.burst, |round| round.shared];
        scenarios.map(|of| quantiles(&self.rails, of).p99 / quantiles(ours, of).p99)
    }

    fn slow_ratio(&self) -> f64 {
        let p99 = |runs: &[MixedReaders]| quantiles(runs, |run| run.heard).p99;
        p99(&self.slow) / p99(&self.quiet)
    }

    pub(crate) fn print(&self) {
        println!();
        row(
            "",
            ["floor", "Rails", "ours, Redis", "ours, memory"].map(String::from),
        );
        row("---", ["---"; 4].map(String::from));
        self.each("connections welcomed per second (of 1,000)", |rounds| {
            format!("{:.0}", middle(rounds, |round| round.rate))
        });
        self.each("RSS per connection, bytes", |rounds| {
            format!("{:.0}", middle(rounds, |round| round.connected))
        });
        self.each("the same with a subscription", |rounds| {
            format!("{:.0}", middle(rounds, |round| round.subscribed))
        });
        self.latencies("1,000 streams, 500 messages/s: p50 / p99, ms", |round| {
            round.own
        });
        self.latencies("1,000 streams at once: p50 / p99, ms", |round| round.burst);
        self.latencies("one stream, 2,000 pages: p50 / p99, ms", |round| {
            round.shared
        });
        self.each("messages lost", |rounds| {
            rounds
                .iter()
                .map(|round| round.lost)
                .sum::<usize>()
                .to_string()
        });
        println!();
        let echo = quantiles(&self.echo, |echo| echo.even);
        println!(
            "generator: there and back {:.2} / {:.2} ms (p50 / p99), {:.0} messages/s through 64 pages",
            echo.p50,
            echo.p99,
            middle(&self.echo, |echo| echo.rate)
        );
        for (name, runs) in [("all read", &self.quiet), ("half do not read", &self.slow)] {
            let heard = quantiles(runs, |run| run.heard);
            println!(
                "2,000 pages, {name}: p50 / p99 {:.2} / {:.2} ms, grown by {:.1} MiB, dropped {}",
                heard.p50,
                heard.p99,
                middle(runs, |run| run.grown as f64) / 1_048_576.0,
                middle(runs, |run| run.dropped as f64),
            );
        }
        if let Some((grown, dropped)) = self.stalled {
            println!(
                "1,000 pages that do not read, nothing shared: grown by {:.1} MiB, dropped {dropped}",
                grown as f64 / 1_048_576.0
            );
        }
        if let Some(idle) = self.idle {
            println!(
                "{} idle connections: {:.0} welcomed/s, {:.0} bytes each, {:.0} with a subscription, \
                 {:.1} % of a core ({:.1} % in the kernel)",
                idle.count,
                idle.rate,
                idle.connected,
                idle.subscribed,
                (idle.user + idle.kernel) * 100.0,
                idle.kernel * 100.0
            );
        }
        self.print_json();
    }

    /// `p99_ratio_vs_rails` is the least favourable scenario of one process of ours, which needs no
    /// Redis, against Rails, whose workers do; the others are beside it.
    fn print_json(&self) {
        let round = |value: f64, digits: i32| {
            let scale = 10f64.powi(digits);
            (value * scale).round() / scale
        };
        let least = |ratios: [f64; 3]| round(ratios.into_iter().fold(f64::INFINITY, f64::min), 1);
        let (memory, redis) = (self.ratios(&self.memory), self.ratios(&self.redis));
        let mut line = json!({
            "p99_ratio_vs_rails": least(memory),
            "p99_ratios_vs_rails": memory.map(|ratio| round(ratio, 1)),
            "p99_ratio_vs_rails_over_redis": least(redis),
            "p99_ratios_vs_rails_over_redis": redis.map(|ratio| round(ratio, 1)),
            "slow_readers_p99_ratio": round(self.slow_ratio(), 2),
        });
        if let Some(idle) = self.idle {
            line["idle_connections"] = json!(idle.count);
            line["idle_bytes"] = json!(idle.subscribed.round());
            line["idle_bytes_unsubscribed"] = json!(idle.connected.round());
            line["idle_cpu_percent"] = json!(round((idle.user + idle.kernel) * 100.0, 1));
        }
        if let Some((grown, _)) = self.stalled {
            line["slow_readers_mib"] = json!(round(grown as f64 / 1_048_576.0, 1));
        }
        println!("{line}");
    }
}
