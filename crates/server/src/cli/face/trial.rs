//! `axiam face liveness`: attacks and honest answers, made from recordings, put to the face engine.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use face::{
    Engine,
    evaluate::Rate,
    trial::{self, Outcome, Recording, Trial},
};

use crate::cli::Failure;

/// Frames taken from each second of a video.
const RATE: &str = "fps=10";
/// Endings of videos.
const VIDEOS: [&str; 4] = ["mp4", "mov", "mkv", "webm"];

/// What to measure on.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Folder of videos, one of each person, or of folders with the frames of one, about ten a second.
    dir: PathBuf,
    /// Most answers of each kind made from each recording.
    #[arg(long, default_value_t = 20)]
    answers: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(engine: &Engine, arguments: &Arguments) -> Result<(), Failure> {
    let recordings = recordings(&arguments.dir)?;
    let bar = indicatif::ProgressBar::new_spinner().with_message("answers judged");
    let result = trial::run(engine, &recordings, arguments.answers, 1, || bar.inc(1))?;
    bar.finish_and_clear();
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&result)?);
    } else {
        print(&result);
    }
    Ok(())
}

/// Everything in the folder that can be looked through.
fn recordings(dir: &Path) -> Result<Vec<Recording>, Failure> {
    let unreadable = |error: std::io::Error| format!("{}: {error}", dir.display());
    let mut paths: Vec<PathBuf> = fs::read_dir(dir)
        .map_err(unreadable)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(unreadable)?;
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let ending = path
            .extension()
            .and_then(|e| e.to_str())
            .unwrap_or_default();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let recording = if path.is_dir() {
            Recording {
                name: name.into_owned(),
                frames: frames_in(&path)?,
            }
        } else if VIDEOS.contains(&ending.to_ascii_lowercase().as_str()) {
            Recording::of_mjpeg(&name, &frames_of(&path)?)
        } else {
            continue;
        };
        if recording.frames.len() > 1 {
            found.push(recording);
        }
    }
    if found.is_empty() {
        return Err(format!(
            "{}: no recordings. Put videos (mp4, mov, mkv, webm) there, one person each, or a folder of \
             JPEG frames for each person",
            dir.display()
        )
        .into());
    }
    Ok(found)
}

fn frames_in(dir: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let mut files: Vec<PathBuf> = fs::read_dir(dir)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    Ok(files.iter().map(fs::read).collect::<Result<_, _>>()?)
}

/// The frames of a video as Motion JPEG, through a pipe from ffmpeg: nothing is written to disk.
fn frames_of(video: &Path) -> Result<Vec<u8>, Failure> {
    let mut child = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(video)
        .args([
            "-vf",
            RATE,
            "-f",
            "image2pipe",
            "-c:v",
            "mjpeg",
            "-q:v",
            "2",
            "-",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| {
            format!("ffmpeg is needed to read videos ({error}); install it, or give frames")
        })?;
    let mut bytes = Vec::new();
    if let Some(mut output) = child.stdout.take() {
        output.read_to_end(&mut bytes)?;
    }
    if !child.wait()?.success() {
        return Err(format!("{}: ffmpeg cannot read it", video.display()).into());
    }
    Ok(bytes)
}

fn print(trial: &Trial) {
    println!("what the recordings show:");
    for (name, actions) in &trial.actions {
        println!("  {name}: {}", actions.join(", "));
    }
    println!("\nhonest answers                       answers  refused   BPCER  95 % interval  why");
    let mut all = Outcome::default();
    for (name, outcome) in &trial.bona_fide {
        row(name, outcome, outcome.answers - outcome.passed);
        all.answers += outcome.answers;
        all.passed += outcome.passed;
    }
    row("all", &all, all.answers - all.passed);
    println!(
        "\nattacks                              answers   passed   APCER  95 % interval  why the others did not"
    );
    for (species, outcome) in &trial.attacks {
        row(species, outcome, outcome.passed);
    }
}

fn row(name: &str, outcome: &Outcome, wrong: usize) {
    let rate = Rate::new(wrong as u64, outcome.answers as u64);
    let [low, high] = rate.wilson.map(|bound| 100.0 * bound);
    let mut reasons: Vec<_> = outcome.refused.iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let reasons: Vec<String> = reasons
        .iter()
        .map(|(reason, count)| format!("{reason} ({count})"))
        .collect();
    println!(
        "{name:<37}{:>7}{wrong:>9}{:>7.1}%  {low:>5.1} to {high:>4.1}%  {}",
        outcome.answers,
        100.0 * rate.rate,
        reasons.join("; ")
    );
}
