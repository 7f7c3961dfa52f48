//! `axiam face liveness`: attacks and honest answers, made from recordings, put to the face engine.

use std::path::PathBuf;

use face::Engine;
use indicatif::{ProgressBar, ProgressStyle};
use lab::{
    attacks::{Species, recordings, run as try_attacks},
    report::AttackTrialText,
};

use crate::cli::CommandError;

/// What to measure on.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Folder of videos, one of each person, or of folders with the frames of one, about ten a second.
    dir: PathBuf,
    /// Most answers of each kind made from each recording.
    #[arg(long, default_value_t = 20)]
    answers: usize,
    /// Where the draw of answers begins: the same seed tries the same ones.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Also judge each person's answers, and attacks on them, by limits fitted to the other people alone. Needs recordings
    /// of three or more.
    #[arg(long)]
    leave_one_out: bool,
    /// Print the rates as JSON, for programs.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(engine: &Engine, arguments: &Arguments) -> Result<(), CommandError> {
    let recordings = recordings(&arguments.dir)?;
    // More than are tried where people do little of what can be asked.
    let most = recordings.len() * arguments.answers * (Species::ALL.len() + 1);
    let style = ProgressStyle::with_template("{bar:40} {pos} of at most {len} answers, {elapsed}")?;
    let bar = ProgressBar::new(most as u64).with_style(style);
    let (answers, seed) = (arguments.answers, arguments.seed);
    let mut result = try_attacks(engine, &recordings, answers, seed, || bar.inc(1))?;
    bar.finish_and_clear();
    if arguments.leave_one_out {
        result.leave_one_out();
    }
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(&result)?);
    } else {
        say_on!("{}", AttackTrialText(&result));
    }
    Ok(())
}
