//! Commands that need a pack and photos, but no database.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use face::{Engine, FaceEngine, FmrLevel, Template};
use serde_json::json;

use super::{calibrate, evaluate, liveness};
use crate::{
    cli::{CommandError, serve::find_pack},
    platform::config::Settings,
};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Compare the faces in two photos
    Compare {
        /// The photo of one face.
        a: PathBuf,
        /// The photo of the other face.
        b: PathBuf,
        /// Print what was found as JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Measure the pack on a folder of photos, one folder a person
    Evaluate(evaluate::Arguments),
    /// Find thresholds for a pack from photos of many people, one photo each or more
    Calibrate(calibrate::Arguments),
    /// Try presentation attacks and honest answers, made from recordings (ISO/IEC 30107-3)
    Liveness(liveness::Arguments),
    /// Load a pack and say what it is, or what is wrong with it (see docs/packs.md)
    Pack {
        /// The pack's folder; without one, the pack that the server would use.
        dir: Option<PathBuf>,
        /// Print what was found as JSON, for programs.
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(settings: &Settings, command: Command) -> Result<(), CommandError> {
    let dir = match &command {
        Command::Pack { dir: Some(dir), .. } => dir.clone(),
        _ => find_pack(settings)?,
    };
    let engine = Engine::load(&dir)?;
    match command {
        Command::Compare { a, b, json } => compare(&engine, &a, &b, json),
        Command::Evaluate(arguments) => evaluate::run(&engine, &arguments),
        Command::Calibrate(arguments) => calibrate::run(&engine, &arguments),
        Command::Liveness(arguments) => liveness::run(&engine, &arguments),
        Command::Pack { json, .. } => describe(&engine, &dir, json),
    }
}

fn describe(engine: &Engine, dir: &Path, as_json: bool) -> Result<(), CommandError> {
    let pack = engine.pack();
    if as_json {
        say!("{}", serde_json::to_string_pretty(pack)?);
        return Ok(());
    }
    say!(
        "{}: pack {} version {}",
        dir.display(),
        pack.name(),
        pack.version()
    );
    say!("licence  {}\nsource   {}", pack.licence(), pack.source());
    say!(
        "sha256   {} (of the manifest, which holds those of the networks)",
        pack.sha256()
    );
    for network in pack.networks() {
        say!("network  {network}");
    }
    for level in FmrLevel::ALL {
        say!(
            "matches  up to {:.3} at a false match rate of {level}",
            pack.threshold(level)
        );
    }
    if pack.has_liveness() {
        say!("can      compare faces; tell turned heads, closed eyes and open mouths");
    } else {
        say!(
            "can      compare faces. This pack cannot tell turned heads, closed eyes and open mouths (it has \
             no face mesh): sites on it need liveness=off"
        );
    }
    Ok(())
}

fn template(engine: &Engine, photo: &Path) -> Result<Template, CommandError> {
    let bytes = fs::read(photo).map_err(|error| format!("{}: {error}", photo.display()))?;
    engine
        .template(&bytes)
        .map_err(|error| format!("{}: {error}", photo.display()).into())
}

fn compare(engine: &Engine, a: &Path, b: &Path, as_json: bool) -> Result<(), CommandError> {
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
        say!("{:#}", json!({ "distance": distance, "fmr": matches }));
        return Ok(());
    }
    say!("distance {distance:.3}");
    for (level, threshold) in levels {
        let verdict = if distance <= threshold {
            "the same person"
        } else {
            "different people"
        };
        say!(
            "at a false match rate of {:<8} (up to {threshold:.3}): {verdict}",
            level.as_str()
        );
    }
    Ok(())
}
