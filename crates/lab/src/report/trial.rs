//! The report of an attack trial for a terminal.

use std::fmt;

use face::liveness::SIGN_NAMES;

use crate::attacks::{Answer, AttackTrial, Outcome};
use crate::evaluation::Rate;

/// An attack trial as a terminal shows it.
pub struct AttackTrialText<'a>(pub &'a AttackTrial);

impl fmt::Display for AttackTrialText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trial = self.0;
        performances(f, trial)?;
        let with = if trial.left_out.is_some() {
            "  person left out"
        } else {
            ""
        };
        writeln!(
            f,
            "\n{:<37}answers  wrong   rate  95 % interval{with}  refused because",
            ""
        )?;
        let honest = |answer: &Answer| answer.species.is_none();
        for (name, outcome) in &trial.bona_fide {
            if outcome.answers > 0 {
                let left_out = trial.passed_left_out(|a| honest(a) && a.recording == *name);
                row(f, &format!("honest: {name}"), outcome, true, left_out)?;
            }
        }
        let all = trial.honest();
        row(
            f,
            "honest: all (BPCER)",
            &all,
            true,
            trial.passed_left_out(honest),
        )?;
        for (species, outcome) in &trial.attacks {
            let left_out = trial.passed_left_out(|a| a.species == Some(species));
            row(f, species, outcome, false, left_out)?;
        }
        if let Some(left_out) = &trial.left_out {
            writeln!(f, "\nweights fitted to all of these answers:")?;
            for (name, weight) in SIGN_NAMES.iter().zip(&left_out.fitted.signs) {
                writeln!(f, "  {name:<12}{weight:>7.2}")?;
            }
            writeln!(f, "  {:<12}{:>7.2}", "bias", left_out.fitted.bias)?;
        }
        Ok(())
    }
}

/// How far the people go, and who is left out for not doing what makes a challenge.
fn performances(f: &mut fmt::Formatter<'_>, trial: &AttackTrial) -> fmt::Result {
    writeln!(f, "how far the people go (from 1 on it counts as done):")?;
    for did in &trial.performances {
        let extent: Vec<String> = did
            .extent
            .iter()
            .map(|(action, far)| format!("{action} {far:.2}"))
            .collect();
        writeln!(
            f,
            "  {}: {}; answers {} of 102 challenges",
            did.recording,
            extent.join(", "),
            did.challenges
        )?;
        if did.challenges == 0 {
            writeln!(
                f,
                "     no honest answers: a challenge takes a turn, and blinking or an open mouth"
            )?;
        }
    }
    Ok(())
}

fn row(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    outcome: &Outcome,
    honest: bool,
    left_out: Option<usize>,
) -> fmt::Result {
    let wrong = |passed: usize| {
        if honest {
            outcome.answers - passed
        } else {
            passed
        }
    };
    let rate = |wrong: usize| Rate::new(wrong as u64, outcome.answers as u64);
    let shipped = rate(wrong(outcome.passed));
    let [low, high] = shipped.wilson.map(|bound| 100.0 * bound);
    let mut reasons: Vec<_> = outcome.refused.iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let reasons: Vec<String> = reasons
        .iter()
        .map(|(reason, count)| format!("{reason} ({count})"))
        .collect();
    let left_out = left_out.map_or_else(String::new, |passed| {
        let wrong = wrong(passed);
        format!("  {wrong:>6} = {:>5.1}%", 100.0 * rate(wrong).rate)
    });
    writeln!(
        f,
        "{name:<37}{:>7}{:>7}{:>6.1}%  {low:>5.1} to {high:>4.1}%{left_out}  {}",
        outcome.answers,
        shipped.errors,
        100.0 * shipped.rate,
        reasons.join("; ")
    )
}
