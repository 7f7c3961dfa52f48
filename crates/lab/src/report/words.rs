//! Numbers of an evaluation in words, the same in every report.

use crate::evaluation::{Comparisons, Rate, Rates};

/// Rows of the table of thresholds: every so many of those measured.
const EVERY: usize = 5;

/// How many photos were enrolled, in words.
pub(super) fn enrolled(trial: &Comparisons) -> String {
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

/// Rates at round thresholds, and at the pack's own, which are marked.
pub(super) fn rows(trial: &Comparisons) -> Vec<(Rates, String)> {
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
pub(super) fn in_words(rate: &Rate) -> String {
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
