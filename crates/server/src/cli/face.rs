//! `axiam face`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use face::{
    Engine, FaceEngine, FmrLevel, Template,
    evaluate::{self, Evaluation, Pair},
};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::{Failure, serve::find_pack};
use crate::config::Settings;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Compare the faces in two photos
    Compare {
        /// One photo.
        a: PathBuf,
        /// The other.
        b: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Measure the pack on a folder of photos, one folder a person
    Evaluate {
        /// The folder, in the layout of LFW.
        dir: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(settings: &Settings, command: Command) -> Result<(), Failure> {
    let engine = Engine::load(&find_pack(settings)?)?;
    match command {
        Command::Compare { a, b, json } => compare(&engine, &a, &b, json),
        Command::Evaluate { dir, json } => measure(&engine, &dir, json),
    }
}

fn template(engine: &Engine, photo: &Path) -> Result<Template, Failure> {
    let bytes = fs::read(photo).map_err(|error| format!("{}: {error}", photo.display()))?;
    engine
        .template(&bytes)
        .map_err(|error| format!("{}: {error}", photo.display()).into())
}

fn compare(engine: &Engine, a: &Path, b: &Path, as_json: bool) -> Result<(), Failure> {
    let distance = template(engine, a)?.distance(&template(engine, b)?)?;
    let levels: Vec<(FmrLevel, f32)> = FmrLevel::ALL
        .iter()
        .map(|level| (*level, engine.pack().threshold(*level)))
        .collect();
    if as_json {
        let matches: serde_json::Map<_, _> = levels
            .iter()
            .map(|(level, threshold)| {
                let verdict = json!({ "threshold": threshold, "match": distance <= *threshold });
                (level.as_str().to_owned(), verdict)
            })
            .collect();
        println!("{:#}", json!({ "distance": distance, "fmr": matches }));
        return Ok(());
    }
    println!("distance {distance:.3}");
    for (level, threshold) in levels {
        let verdict = if distance <= threshold {
            "the same person"
        } else {
            "different people"
        };
        println!(
            "at a false match rate of {:<8} (up to {threshold:.3}): {verdict}",
            level.as_str()
        );
    }
    Ok(())
}

fn measure(engine: &Engine, dir: &Path, as_json: bool) -> Result<(), Failure> {
    let problem = |error: std::io::Error| format!("{}: {error}", dir.display());
    let photos = evaluate::photos(dir).map_err(problem)?;
    if photos.is_empty() {
        return Err(format!(
            "{}: no photos; expected one folder for each person with photos inside",
            dir.display()
        )
        .into());
    }
    // The bar goes to standard error and vanishes when that is no terminal.
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} photos, {eta} left")?;
    let bar = ProgressBar::new(photos.len() as u64).with_style(style);
    let samples =
        evaluate::enrol(engine, photos, |done| bar.set_position(done as u64)).map_err(problem)?;
    bar.finish_and_clear();
    let result = evaluate::evaluate(&samples);
    if as_json {
        println!("{}", serde_json::to_string_pretty(&result)?);
        return Ok(());
    }
    for sample in &samples {
        if let Err(error) = &sample.template {
            println!("{}: {error}", sample.photo.name);
        }
    }
    print(&result, engine);
    Ok(())
}

fn print(result: &Evaluation, engine: &Engine) {
    let Evaluation {
        photos,
        persons,
        fte,
        mated,
        non_mated,
        ..
    } = result;
    println!("{photos} photos of {persons} persons; no usable face (FTE+FTA) in {fte}");
    println!("{mated} mated and {non_mated} non-mated comparisons");
    let pair = |name: &str, pair: &Option<Pair>| {
        if let Some(Pair { distance, a, b }) = pair {
            println!("{name} {distance:.3}  {a}  {b}");
        }
    };
    pair("worst mated     ", &result.worst_mated);
    pair("best non-mated  ", &result.best_non_mated);
    println!("\nthreshold     FMR     FNMR");
    for rates in result.thresholds.iter().step_by(5) {
        let percent = |rate: f64| rate * 100.0;
        println!(
            "     {:.2}  {:5.2} %  {:5.2} %",
            rates.threshold,
            percent(rates.fmr),
            percent(rates.fnmr)
        );
    }
    println!();
    for level in FmrLevel::ALL {
        let threshold = engine.pack().threshold(level);
        println!(
            "shipped threshold for FMR {:<8} {threshold:.3}",
            level.as_str()
        );
    }
}
