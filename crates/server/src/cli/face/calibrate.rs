//! `axiam face calibrate`: thresholds for a pack, from photos of many people.

use std::path::PathBuf;

use clap::Args;
use face::{Engine, FaceEngine};
use lab::{
    evaluation::{Method, calibrate, enrol, photos},
    report::CalibrationText,
};

use super::evaluate::{bar, groups};
use crate::cli::CommandError;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// The folder: one folder a person, photos inside. One photo a person is enough.
    dir: PathBuf,
    /// Who belongs to which group: a CSV file with a column `person` and one for each way of grouping.
    #[arg(long, value_name = "FILE.csv")]
    groups: Option<PathBuf>,
    /// Where the draw of persons for the intervals begins.
    #[arg(long, default_value_t = Method::default().seed)]
    seed: u64,
    /// Print what was found as JSON, for programs.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(engine: &Engine, arguments: &Arguments) -> Result<(), CommandError> {
    let method = Method {
        seed: arguments.seed,
        groups: groups(arguments.groups.as_deref())?,
    };
    let photos = photos(&arguments.dir)?;
    let bar = bar(photos.len())?;
    let samples = enrol(engine, photos, |done| bar.set_position(done as u64))?;
    bar.finish_and_clear();
    let found = calibrate(&samples, engine.pack(), &method);
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(&found)?);
    } else {
        say_on!("{}", CalibrationText(&found));
    }
    Ok(())
}
