//! `axiam face evaluate`: error rates on a folder of photos.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use face::{Engine, FaceEngine};
use indicatif::{ProgressBar, ProgressStyle};
use lab::{
    evaluation::{Groups, Method, enrol, evaluate, photos},
    report::{self, EvaluationText, plot},
};

use crate::{
    cli::CommandError,
    platform::clock::{Clock, SystemClock},
};

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// The folder: one folder a person, photos inside (the layout of LFW).
    dir: PathBuf,
    /// Who belongs to which group: a CSV file with a column `person` and one for each way of grouping. Rates are
    /// then told by group as well.
    #[arg(long, value_name = "FILE.csv")]
    groups: Option<PathBuf>,
    /// Where the draw of persons for the intervals begins: the same seed gives the same ones.
    #[arg(long, default_value_t = Method::default().seed)]
    seed: u64,
    /// Print the rates as JSON, for programs.
    #[arg(long)]
    json: bool,
    /// Write a report for people: one HTML file that needs nothing else.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Write the detection error trade-off plot.
    #[arg(long, value_name = "FILE.svg")]
    det: Option<PathBuf>,
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
    let result = evaluate(&samples, engine.pack(), &method);
    if let Some(file) = &arguments.det {
        write(file, &plot::det(&result.trials))?;
    }
    if let Some(file) = &arguments.report {
        let date = SystemClock.now().format("%Y-%m-%d %H:%M UTC").to_string();
        write(file, &report::html(&result, &arguments.dir, &date)?)?;
    }
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(&result)?);
    } else {
        say_on!("{}", EvaluationText(&result));
    }
    Ok(())
}

/// A bar of photos. It goes to standard error and vanishes when that is no terminal.
pub(super) fn bar(photos: usize) -> Result<ProgressBar, CommandError> {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} photos, {eta} left")?;
    Ok(ProgressBar::new(photos as u64).with_style(style))
}

/// The groups in a file, if one was named.
pub(super) fn groups(file: Option<&Path>) -> Result<Option<Groups>, CommandError> {
    Ok(file.map(Groups::read).transpose()?)
}

fn write(file: &Path, text: &str) -> Result<(), CommandError> {
    fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    note!("wrote {}", file.display());
    Ok(())
}
