//! How far apart pairs are: mated upwards, non-mated downwards from one line.

use std::fmt::Write;

use super::frame::{BOTTOM, LEFT, RIGHT, TOP, axes, svg, text};
use crate::evaluation::{Comparisons, Histogram};

/// Bars over the whole width.
const BARS: usize = 50;
/// The line from which the bars go up and down.
const MIDDLE: f64 = 186.0;
/// Room above and below for the names of the thresholds.
const ROOM: f64 = 56.0;

/// The distribution of distances of one trial, with the pack's thresholds.
pub fn distances(trial: &Comparisons) -> String {
    let widest = [&trial.mated_distances, &trial.non_mated_distances]
        .map(|h| h.edge(h.counts().len()))
        .into_iter()
        .fold(0.1, f64::max);
    let step = tick_step(widest);
    let end = (widest / step).ceil() * step;
    let place = |distance: f64| LEFT + distance / end * (RIGHT - LEFT);
    let mut inside = String::new();
    for i in 0..=(end / step).round() as usize {
        let (x, value) = (place(i as f64 * step), i as f64 * step);
        let _ = write!(
            inside,
            "<path class=\"grid\" d=\"M{x:.1} {TOP}V{BOTTOM}\"/>"
        );
        let words = format!("{}", (value * 1e6).round() / 1e6);
        inside += &text(x, BOTTOM + 16.0, "middle", "soft", &words);
    }
    let (mated, non_mated) = (
        bars(&trial.mated_distances, end),
        bars(&trial.non_mated_distances, end),
    );
    let tallest = mated.iter().chain(&non_mated).copied().fold(0.01, f64::max);
    let height = |part: f64| part / tallest * (MIDDLE - TOP - ROOM);
    inside += &drawn(&mated, "area-one", |part| {
        (MIDDLE - height(part), height(part))
    });
    inside += &drawn(&non_mated, "area-two", |part| (MIDDLE, height(part)));
    let _ = write!(
        inside,
        "<path class=\"frame\" d=\"M{LEFT} {MIDDLE}H{RIGHT}\"/>"
    );
    for (i, level) in trial.levels.iter().enumerate() {
        let (x, y) = (
            place(f64::from(level.threshold)),
            TOP + 15.0 + 15.0 * i as f64,
        );
        let _ = write!(
            inside,
            "<path class=\"level\" d=\"M{x:.1} {:.1}V{BOTTOM}\"/>",
            y - 10.0
        );
        inside += &text(x + 4.0, y, "start", "", level.level.as_str());
    }
    inside += &text(LEFT + 6.0, MIDDLE - 6.0, "start", "soft", "mated");
    inside += &text(LEFT + 6.0, MIDDLE + 16.0, "start", "soft", "non-mated");
    inside += &axes("distance (dissimilarity score)", "part of the comparisons");
    let id = format!("distances-{}", trial.enrolled);
    svg(
        &id,
        &format!("Distances with {} enrolled", photos(trial.enrolled)),
        "Distribution of the distances of mated comparisons, upwards, and of non-mated ones, downwards. \
         The less the two overlap, the better. Dotted lines: the thresholds of the pack.",
        &inside,
    )
}

fn photos(count: usize) -> String {
    if count == 1 {
        "1 photo".into()
    } else {
        format!("{count} photos")
    }
}

/// A round step that gives 4 to 10 ticks.
fn tick_step(widest: f64) -> f64 {
    let unit = 10_f64.powf((widest / 4.0).log10().floor());
    [5.0, 2.0, 1.0]
        .into_iter()
        .map(|factor| factor * unit)
        .find(|step| widest / step >= 4.0)
        .unwrap_or(unit)
}

/// The part of all distances that falls into each bar of the range from 0 to `end`.
fn bars(histogram: &Histogram, end: f64) -> Vec<f64> {
    let mut bars = vec![0.0; BARS];
    for (bin, count) in histogram.counts().iter().enumerate() {
        let middle = histogram.edge(bin) - histogram.edge(1) / 2.0;
        let at = (middle.max(0.0) / end * BARS as f64) as usize;
        if let Some(bar) = bars.get_mut(at.min(BARS - 1)) {
            *bar += *count as f64 / histogram.total().max(1) as f64;
        }
    }
    bars
}

/// The bars as one shape; `span` gives a bar's upper end and height.
fn drawn(bars: &[f64], class: &str, span: impl Fn(f64) -> (f64, f64)) -> String {
    let width = (RIGHT - LEFT) / BARS as f64;
    let mut shape = String::new();
    for (i, part) in bars.iter().enumerate().filter(|(_, part)| **part > 0.0) {
        let (y, height) = span(*part);
        let x = LEFT + i as f64 * width;
        let _ = write!(
            shape,
            "M{:.1} {y:.1}h{:.1}v{height:.1}h-{:.1}z",
            x + 0.5,
            width - 1.0,
            width - 1.0
        );
    }
    format!("<path class=\"{class}\" d=\"{shape}\"/>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!([1.23, 0.9, 1.6, 40.0].map(tick_step), [0.2, 0.2, 0.2, 10.0]);
    }
}
