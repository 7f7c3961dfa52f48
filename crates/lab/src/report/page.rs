//! The report of an evaluation for people: one HTML file without anything from elsewhere.

use std::path::Path;

use askama::Template;
use face::FmrLevel;

use super::plot;
use super::words::{enrolled, gap_in_words, percent, rows};
use crate::evaluation::{Comparisons, Evaluation, FailedPhoto, LevelRates, Pair, Rate};

/// The page; every text is escaped, pictures are our own SVG.
#[derive(Template)]
#[template(path = "evaluation.html")]
struct Page<'a> {
    result: &'a Evaluation,
    folder: String,
    date: String,
    program: &'static str,
    summary: Vec<String>,
    acquire: Shown,
    enrol: Shown,
    trials: Vec<ShownTrial<'a>>,
    det: String,
    distances: Vec<String>,
    rows: Vec<Row>,
    failures: &'a [FailedPhoto],
}

/// A rate as the page shows it.
struct Shown {
    count: String,
    rate: String,
    details: Vec<String>,
}

/// The comparisons with one number of photos.
struct ShownTrial<'a> {
    title: String,
    trial: &'a Comparisons,
    levels: Vec<ShownLevel>,
    pairs: Vec<(&'static str, &'a Pair, String)>,
    gap: Option<String>,
    equal: Option<String>,
}

struct ShownLevel {
    level: FmrLevel,
    threshold: String,
    /// First the FMR, then the FNMR.
    rates: [Shown; 2],
}

/// A row of the table of thresholds.
struct Row {
    threshold: String,
    fmr: String,
    fnmr: String,
    level: Option<FmrLevel>,
}

/// The report of `result`, measured on the photos in `dir`; `date` is printed as it is.
///
/// # Errors
/// Only if the page cannot be put together.
pub fn html(result: &Evaluation, dir: &Path, date: &str) -> Result<String, askama::Error> {
    let page = Page {
        result,
        folder: dir.display().to_string(),
        date: date.to_owned(),
        program: env!("CARGO_PKG_VERSION"),
        summary: result.trials.iter().rev().filter_map(summary).collect(),
        acquire: shown(&result.failure_to_acquire),
        enrol: shown(&result.failure_to_enrol),
        trials: result.trials.iter().map(shown_trial).collect(),
        det: plot::det(&result.trials),
        distances: result.trials.iter().map(plot::distances).collect(),
        rows: result.trials.first().map(table).unwrap_or_default(),
        failures: &result.failures,
    };
    page.render()
}

/// One sentence for the level that sites have by default.
fn summary(trial: &Comparisons) -> Option<String> {
    let level = trial
        .levels
        .iter()
        .find(|l| l.level == FmrLevel::default())?;
    if trial.mated == 0 || trial.non_mated == 0 {
        return None;
    }
    let told = |rate: &Rate| match rate.at_most {
        Some(most) => format!(
            "0 of {} (with 95 % confidence at most {})",
            rate.trials,
            percent(most)
        ),
        None => format!(
            "{} of {} ({})",
            rate.errors,
            rate.trials,
            percent(rate.rate)
        ),
    };
    Some(format!(
        "With {}, at the threshold for a false match rate of {}: strangers accepted {}; the right person \
         refused {}.",
        enrolled(trial),
        level.level,
        told(&level.fmr),
        told(&level.fnmr)
    ))
}

fn shown(rate: &Rate) -> Shown {
    let range = |[low, high]: [f64; 2]| {
        let (low, high) = (percent(low), percent(high));
        format!("{} – {high}", low.trim_end_matches(" %"))
    };
    if rate.trials == 0 {
        return Shown {
            count: "not measured".into(),
            rate: String::new(),
            details: Vec::new(),
        };
    }
    let mut details = vec![format!("Wilson {}", range(rate.wilson))];
    details.extend(rate.bootstrap.map(|b| format!("by persons {}", range(b))));
    details.extend(
        rate.at_most
            .map(|most| format!("rule of 3: at most {}", percent(most))),
    );
    Shown {
        count: format!("{} of {}", rate.errors, rate.trials),
        rate: percent(rate.rate),
        details,
    }
}

fn shown_trial(trial: &Comparisons) -> ShownTrial<'_> {
    let levels = trial.levels.iter().map(|level| ShownLevel {
        level: level.level,
        threshold: format!("{:.3}", level.threshold),
        rates: [shown(&level.fmr), shown(&level.fnmr)],
    });
    let pairs = [
        ("Worst mated", &trial.worst_mated),
        ("Best non-mated", &trial.best_non_mated),
    ];
    let gap = |gap: f32| format!("{gap:.3}: {}", gap_in_words(gap));
    ShownTrial {
        title: enrolled(trial),
        trial,
        levels: levels.collect(),
        pairs: pairs
            .into_iter()
            .filter_map(|(name, pair)| {
                let pair = pair.as_ref()?;
                Some((name, pair, format!("{:.3}", pair.distance)))
            })
            .collect(),
        gap: trial.gap.map(gap),
        equal: trial.equal_error_rate.map(percent),
    }
}

fn table(trial: &Comparisons) -> Vec<Row> {
    let marked = |threshold: f64| {
        let same = |l: &&LevelRates| (f64::from(l.threshold) - threshold).abs() < 1e-6;
        trial.levels.iter().find(same).map(|l| l.level)
    };
    rows(trial)
        .into_iter()
        .map(|(rates, _)| Row {
            threshold: format!("{:.3}", rates.threshold),
            fmr: percent(rates.fmr),
            fnmr: percent(rates.fnmr),
            level: marked(rates.threshold),
        })
        .collect()
}
