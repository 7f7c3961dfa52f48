//! The detection error trade-off: false non-match rate over false match rate.

use std::fmt::Write;

use face::FmrLevel;

use super::axis::{Axis, HIGHEST};
use super::frame::{BOTTOM, LEFT, RIGHT, TOP, axes, svg, text};
use crate::evaluation::{Comparisons, Rates};

/// How the curves look, in order of the trials.
const CURVES: [&str; 2] = ["one", "two dash"];

/// The DET curves of all trials, with the pack's thresholds marked on them.
pub fn det(trials: &[Comparisons]) -> String {
    let most = |count: fn(&Comparisons) -> u64| trials.iter().map(count).max().unwrap_or(0);
    let across = Axis::new(most(|t| t.non_mated), LEFT, RIGHT);
    let up = Axis::new(most(|t| t.mated), BOTTOM, TOP);
    let mut inside = grid(&across, &up);
    let drawn = trials.iter().filter(|t| t.mated > 0 && t.non_mated > 0);
    for (trial, class) in drawn.zip(CURVES) {
        inside += &curve(trial, class, &across, &up);
    }
    inside += &axes("false match rate (FMR)", "false non-match rate (FNMR)");
    inside += &legend(trials);
    svg(
        "det",
        "Detection error trade-off",
        "False non-match rate over false match rate on normal-deviate axes, one curve for each number of \
         photos enrolled. The thresholds of the pack are marked; their numbers are in the table of rates.",
        &inside,
    )
}

fn grid(across: &Axis, up: &Axis) -> String {
    let mut lines = String::new();
    for (rate, words) in across.ticks() {
        let x = across.at(rate);
        let _ = write!(lines, "<path class=\"grid\" d=\"M{x:.1} {TOP}V{BOTTOM}\"/>");
        lines += &text(x, BOTTOM + 16.0, "middle", "soft", &words);
    }
    for (rate, words) in up.ticks() {
        let y = up.at(rate);
        let _ = write!(lines, "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>");
        lines += &text(LEFT - 5.0, y + 4.0, "end", "soft", &words);
    }
    lines
}

fn curve(trial: &Comparisons, class: &str, across: &Axis, up: &Axis) -> String {
    let place = |fmr: f64, fnmr: f64| (across.at(fmr), up.at(fnmr));
    let inside = |rates: &Rates| rates.fmr <= HIGHEST && rates.fnmr <= HIGHEST;
    let points: Vec<String> = trial
        .curve()
        .iter()
        .filter(|rates| inside(rates))
        .map(|rates| place(rates.fmr, rates.fnmr))
        .map(|(x, y)| format!("{x:.1},{y:.1}"))
        .collect();
    let mut drawn = format!(
        "<polyline class=\"line {class}\" points=\"{}\"/>",
        points.join(" ")
    );
    let colour = class.split(' ').next().unwrap_or_default();
    for level in &trial.levels {
        let (x, y) = place(level.fmr.rate, level.fnmr.rate);
        drawn += &mark(level.level, x, y, colour);
    }
    drawn
}

/// Each level has a shape of its own; where several lie in one place, each is seen around the next.
fn mark(level: FmrLevel, x: f64, y: f64, class: &str) -> String {
    match level {
        FmrLevel::OneIn1000 => {
            format!("<circle class=\"mark {class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"8\"/>")
        }
        FmrLevel::OneIn10000 => format!(
            "<rect class=\"mark {class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"9\" height=\"9\"/>",
            x - 4.5,
            y - 4.5
        ),
        FmrLevel::OneIn100000 => format!(
            "<path class=\"mark {class}\" d=\"M{:.1} {:.1}l3 5h-6z\"/>",
            x,
            y - 3.0
        ),
    }
}

/// Which line and which shape is what, below the plot.
fn legend(trials: &[Comparisons]) -> String {
    let y = BOTTOM + 54.0;
    let mut drawn = String::new();
    let mut x = 8.0;
    for (trial, class) in trials.iter().zip(CURVES) {
        let words = match trial.enrolled {
            1 => "1 photo".to_owned(),
            n => format!("{n} fused"),
        };
        let _ = write!(
            drawn,
            "<path class=\"line {class}\" d=\"M{x} {:.1}h24\"/>",
            y - 4.0
        );
        drawn += &text(x + 29.0, y, "start", "", &words);
        x += 80.0;
    }
    x += 8.0;
    for level in FmrLevel::ALL {
        drawn += &mark(level, x, y - 4.5, "ink");
        drawn += &text(x + 11.0, y, "start", "", level.as_str());
        x += 70.0 + 8.0 * f64::from(u8::from(level == FmrLevel::OneIn10000));
    }
    drawn
}
