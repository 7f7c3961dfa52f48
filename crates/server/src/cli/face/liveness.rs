//! `axiam face liveness`: attacks and honest answers, made from recordings, put to the face engine.

use std::path::PathBuf;

use face::Engine;
use lab::{
    attacks::{recordings, run as try_attacks},
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
    /// Print the rates as JSON, for programs.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(engine: &Engine, arguments: &Arguments) -> Result<(), CommandError> {
    let recordings = recordings(&arguments.dir)?;
    let bar = indicatif::ProgressBar::new_spinner().with_message("answers judged");
    let (answers, seed) = (arguments.answers, arguments.seed);
    let result = try_attacks(engine, &recordings, answers, seed, || bar.inc(1))?;
    bar.finish_and_clear();
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(&result)?);
    } else {
        say_on!("{}", AttackTrialText(&result));
    }
    Ok(())
}
