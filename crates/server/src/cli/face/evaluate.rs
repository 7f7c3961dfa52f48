//! `axiam face evaluate`: runs it, and tells the outcome on the terminal.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use face::{
    Engine, FaceEngine,
    evaluate::{self, Evaluation, Pair, Rate, Rates, Trial},
};
use indicatif::{ProgressBar, ProgressStyle};

use super::{plot, report};
use crate::{
    cli::Failure,
    platform::clock::{Clock, SystemClock},
};

/// Rows of the table of thresholds: every so many of those measured.
const EVERY: usize = 5;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// The folder: one folder a person, photos inside (the layout of LFW).
    dir: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Write a report for people: one HTML file that needs nothing else.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Write the detection error trade-off plot.
    #[arg(long, value_name = "FILE.svg")]
    det: Option<PathBuf>,
}

pub(super) fn run(engine: &Engine, arguments: &Arguments) -> Result<(), Failure> {
    let photos = evaluate::photos(&arguments.dir)?;
    // The bar goes to standard error and vanishes when that is no terminal.
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} photos, {eta} left")?;
    let bar = ProgressBar::new(photos.len() as u64).with_style(style);
    let samples = evaluate::enrol(engine, photos, |done| bar.set_position(done as u64))?;
    bar.finish_and_clear();
    let result = evaluate::evaluate(&samples, engine.pack());
    if let Some(file) = &arguments.det {
        write(file, &plot::det(&result.trials))?;
    }
    if let Some(file) = &arguments.report {
        let html = report::html(&result, &arguments.dir, SystemClock.now())?;
        write(file, &html)?;
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&result)?);
    } else {
        print(&result);
    }
    Ok(())
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    eprintln!("wrote {}", file.display());
    Ok(())
}

fn print(result: &Evaluation) {
    for failure in &result.failures {
        println!("{}: {}", failure.photo, failure.reason);
    }
    println!("{} photos of {} persons", result.photos, result.persons);
    println!(
        "failures to acquire (FTA, photos)   {}",
        in_words(&result.failure_to_acquire)
    );
    println!(
        "failures to enrol (FTE, persons)    {}",
        in_words(&result.failure_to_enrol)
    );
    for trial in &result.trials {
        print_trial(trial);
    }
    println!("\nthreshold     FMR     FNMR   (photo against photo)");
    if let Some(trial) = result.trials.first() {
        for (rates, mark) in rows(trial) {
            println!(
                "    {:.3}  {:>7}  {:>7}{mark}",
                rates.threshold,
                percent(rates.fmr),
                percent(rates.fnmr),
            );
        }
    }
    for note in &result.notes {
        println!("\nNote: {note}");
    }
}

fn print_trial(trial: &Trial) {
    println!(
        "\n{}: {} mated and {} non-mated comparisons, {} persons",
        enrolled(trial),
        trial.mated,
        trial.non_mated,
        trial.persons,
    );
    let pair = |name: &str, pair: &Option<Pair>| {
        if let Some(Pair { distance, a, b }) = pair {
            println!("{name} {distance:.3}  {a}  {b}");
        }
    };
    pair("worst mated     ", &trial.worst_mated);
    pair("best non-mated  ", &trial.best_non_mated);
    if let Some(gap) = trial.gap {
        println!("gap              {gap:.3}  {}", gap_in_words(gap));
    }
    for level in &trial.levels {
        println!(
            "at the threshold for FMR {:<8} {:.3}   FMR  {}\n{:41}FNMR {}",
            level.level.as_str(),
            level.threshold,
            in_words(&level.fmr),
            "",
            in_words(&level.fnmr),
        );
    }
}

/// How many photos a trial enrols, in words.
pub(super) fn enrolled(trial: &Trial) -> String {
    match trial.enrolled {
        1 => "1 photo enrolled".into(),
        n => format!("{n} photos enrolled and fused"),
    }
}

/// What the gap between mated and non-mated distances means.
pub(super) fn gap_in_words(gap: f32) -> &'static str {
    if gap > 0.0 {
        "one threshold separates all pairs"
    } else {
        "no threshold separates all pairs"
    }
}

/// A trial's rates at round thresholds, and at the pack's own, which are marked.
pub(super) fn rows(trial: &Trial) -> Vec<(Rates, String)> {
    let round = trial.thresholds.iter().step_by(EVERY);
    let mut rows: Vec<(Rates, String)> = round.map(|rates| (*rates, String::new())).collect();
    for level in &trial.levels {
        let rates = Rates {
            // A decimal as the manifest has it, not the nearest f32's digits.
            threshold: (f64::from(level.threshold) * 1e6).round() / 1e6,
            fmr: level.fmr.rate,
            fnmr: level.fnmr.rate,
        };
        let mark = format!("  <- FMR {}", level.level);
        rows.retain(|(old, _)| (old.threshold - rates.threshold).abs() > 1e-9);
        rows.push((rates, mark));
    }
    rows.sort_by(|(a, _), (b, _)| a.threshold.total_cmp(&b.threshold));
    rows
}

/// A rate and its uncertainty, e.g. `7 of 72 = 9.7 % (4.8 to 18.7 %; by persons 2.1 to 17.5 %)`.
fn in_words(rate: &Rate) -> String {
    if rate.trials == 0 {
        return "not measured".into();
    }
    let range = |[low, high]: [f64; 2]| format!("{} to {}", percent(low), percent(high));
    match (rate.at_most, rate.bootstrap) {
        (Some(most), _) => format!(
            "0 of {}: at most {} with 95 % confidence",
            rate.trials,
            percent(most)
        ),
        (None, bootstrap) => format!(
            "{} of {} = {} ({}{})",
            rate.errors,
            rate.trials,
            percent(rate.rate),
            range(rate.wilson),
            bootstrap.map_or_else(String::new, |b| format!("; by persons {}", range(b)))
        ),
    }
}

/// A rate in percent with about two digits that count: `0 %`, `0.036 %`, `9.7 %`, `26 %`.
pub(super) fn percent(rate: f64) -> String {
    let percent = rate * 100.0;
    if percent == 0.0 {
        return "0 %".into();
    }
    // Rounding first: 9.96 has the digits of 10.
    let digits = 1 - percent.abs().log10().floor() as i32;
    let scale = 10_f64.powi(digits);
    let rounded = (percent * scale).round() / scale;
    let digits = (1 - rounded.abs().log10().floor() as i32).clamp(0, 9) as usize;
    format!("{rounded:.digits$} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents_have_two_digits_that_count() {
        let words = [0.0, 0.00003581, 0.0972, 0.0996, 0.2639, 0.99, 1.0].map(percent);
        assert_eq!(
            words,
            ["0 %", "0.0036 %", "9.7 %", "10 %", "26 %", "99 %", "100 %"]
        );
    }

    #[test]
    fn no_errors_are_told_with_what_they_do_not_exclude() {
        assert_eq!(
            in_words(&Rate::new(0, 558)),
            "0 of 558: at most 0.54 % with 95 % confidence"
        );
        assert_eq!(in_words(&Rate::new(0, 0)), "not measured");
        let some = Rate {
            bootstrap: Some([0.0, 0.2]),
            ..Rate::new(7, 72)
        };
        assert_eq!(
            in_words(&some),
            "7 of 72 = 9.7 % (4.8 % to 19 %; by persons 0 % to 20 %)"
        );
    }
}
