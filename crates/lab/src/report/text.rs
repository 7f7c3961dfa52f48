//! Reports for a terminal.

use std::fmt;

use super::words::{enrolled, gap_in_words, in_words, percent, rows};
use crate::evaluation::{Calibration, Comparisons, Evaluation, GroupRates, Pair, Threshold};

/// An evaluation as a terminal shows it.
pub struct EvaluationText<'a>(pub &'a Evaluation);

impl fmt::Display for EvaluationText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let result = self.0;
        for failure in &result.failures {
            writeln!(f, "{}: {}", failure.photo, failure.reason)?;
        }
        writeln!(f, "{} photos of {} persons", result.photos, result.persons)?;
        writeln!(
            f,
            "failures to acquire (FTA, photos)   {}",
            in_words(&result.failure_to_acquire)
        )?;
        writeln!(
            f,
            "failures to enrol (FTE, persons)    {}",
            in_words(&result.failure_to_enrol)
        )?;
        for trial in &result.trials {
            comparisons(f, trial)?;
        }
        writeln!(f, "\nthreshold     FMR     FNMR   (photo against photo)")?;
        if let Some(trial) = result.trials.first() {
            for (rates, mark) in rows(trial) {
                writeln!(
                    f,
                    "    {:.3}  {:>7}  {:>7}{mark}",
                    rates.threshold,
                    percent(rates.fmr),
                    percent(rates.fnmr),
                )?;
            }
        }
        for group in &result.groups {
            by_group(f, group)?;
        }
        for note in &result.notes {
            writeln!(f, "\nNote: {note}")?;
        }
        Ok(())
    }
}

fn comparisons(f: &mut fmt::Formatter<'_>, trial: &Comparisons) -> fmt::Result {
    writeln!(
        f,
        "\n{}: {} mated and {} non-mated comparisons, {} persons",
        enrolled(trial),
        trial.mated,
        trial.non_mated,
        trial.persons,
    )?;
    let pairs = [
        ("worst mated     ", &trial.worst_mated),
        ("best non-mated  ", &trial.best_non_mated),
    ];
    for (name, pair) in pairs {
        if let Some(Pair { distance, a, b }) = pair {
            writeln!(f, "{name} {distance:.3}  {a}  {b}")?;
        }
    }
    if let Some(gap) = trial.gap {
        writeln!(f, "gap              {gap:.3}  {}", gap_in_words(gap))?;
    }
    for level in &trial.levels {
        writeln!(
            f,
            "at the threshold for FMR {:<8} {:.3}   FMR  {}\n{:41}FNMR {}",
            level.level.as_str(),
            level.threshold,
            in_words(&level.fmr),
            "",
            in_words(&level.fnmr),
        )?;
    }
    Ok(())
}

fn by_group(f: &mut fmt::Formatter<'_>, group: &GroupRates) -> fmt::Result {
    writeln!(
        f,
        "\n{}: {} persons, FTA {}",
        group.group,
        group.persons,
        in_words(&group.failure_to_acquire)
    )?;
    for level in &group.levels {
        writeln!(
            f,
            "    {:<8}  FMR  {}\n{:14}FNMR {}",
            level.level.as_str(),
            in_words(&level.fmr),
            "",
            in_words(&level.fnmr),
        )?;
    }
    Ok(())
}

/// A calibration as a terminal shows it, with the lines for the pack's manifest.
pub struct CalibrationText<'a>(pub &'a Calibration);

impl fmt::Display for CalibrationText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = self.0;
        writeln!(
            f,
            "{} photos of {} persons ({} photos without a usable face), {} pairs of two persons\n",
            found.photos, found.persons, found.failed, found.pairs
        )?;
        writeln!(f, "part of strangers    up to distance (95 % by persons)")?;
        for threshold in &found.curve {
            writeln!(
                f,
                "{:>17}    {}",
                one_in(threshold.fmr),
                at_distance(threshold)
            )?;
        }
        if let Some(alike) = &found.alike {
            writeln!(
                f,
                "\n{} pairs of persons alike in every group:",
                alike.pairs
            )?;
            for (level, rate) in &alike.rates {
                writeln!(
                    f,
                    "{:>17}    at this threshold of all pairs, {} of them match",
                    level.as_str(),
                    percent(*rate)
                )?;
            }
            for (level, threshold) in &alike.levels {
                writeln!(
                    f,
                    "{:>17}    would be {}",
                    level.as_str(),
                    at_distance(threshold)
                )?;
            }
        }
        writeln!(f, "\nfor manifest.json:")?;
        let lines: Vec<String> = found
            .levels
            .iter()
            .filter_map(|(level, threshold)| {
                // Rounded down: a threshold must not promise more than was measured.
                let distance = (f64::from(threshold.distance?) * 100.0).floor() / 100.0;
                Some(format!("    \"{}\": {distance}", level.as_str()))
            })
            .collect();
        writeln!(f, "  \"thresholds\": {{\n{}\n  }}", lines.join(",\n"))?;
        if lines.len() < found.levels.len() {
            writeln!(
                f,
                "\nNote: {} pairs are too few for the strictest: 1/100000 takes 100,000 pairs, which 448 persons \
                 with one photo each make, and ten times as many pairs to be firm.",
                found.pairs
            )?;
        }
        Ok(())
    }
}

fn one_in(rate: f64) -> String {
    format!("1 in {:.0}", 1.0 / rate)
}

fn at_distance(threshold: &Threshold) -> String {
    match (threshold.distance, threshold.bootstrap) {
        (None, _) => "too few pairs".into(),
        (Some(distance), None) => format!("{distance:.3}"),
        (Some(distance), Some([low, high])) => format!("{distance:.3} ({low:.3} to {high:.3})"),
    }
}
