//! Reports for a terminal.

use std::fmt;

use super::words::{enrolled, gap_in_words, in_words, percent, rows};
use crate::attacks::{AttackTrial, Outcome};
use crate::evaluation::{Comparisons, Evaluation, Pair, Rate};

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

/// An attack trial as a terminal shows it.
pub struct AttackTrialText<'a>(pub &'a AttackTrial);

impl fmt::Display for AttackTrialText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trial = self.0;
        writeln!(f, "what the recordings show:")?;
        for (name, actions) in &trial.actions {
            writeln!(f, "  {name}: {}", actions.join(", "))?;
        }
        writeln!(
            f,
            "\nhonest answers                       answers  refused   BPCER  95 % interval  why"
        )?;
        let mut all = Outcome::default();
        for (name, outcome) in &trial.bona_fide {
            row(f, name, outcome, outcome.answers - outcome.passed)?;
            all.answers += outcome.answers;
            all.passed += outcome.passed;
        }
        row(f, "all", &all, all.answers - all.passed)?;
        writeln!(
            f,
            "\nattacks                              answers   passed   APCER  95 % interval  why the others did not"
        )?;
        for (species, outcome) in &trial.attacks {
            row(f, species, outcome, outcome.passed)?;
        }
        Ok(())
    }
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, outcome: &Outcome, wrong: usize) -> fmt::Result {
    let rate = Rate::new(wrong as u64, outcome.answers as u64);
    let [low, high] = rate.wilson.map(|bound| 100.0 * bound);
    let mut reasons: Vec<_> = outcome.refused.iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let reasons: Vec<String> = reasons
        .iter()
        .map(|(reason, count)| format!("{reason} ({count})"))
        .collect();
    writeln!(
        f,
        "{name:<37}{:>7}{wrong:>9}{:>7.1}%  {low:>5.1} to {high:>4.1}%  {}",
        outcome.answers,
        100.0 * rate.rate,
        reasons.join("; ")
    )
}
