//! Our side of `make bench-face`: reads one request a line and answers with a line of JSON: milliseconds
//! in all and by stage, and how often each network ran. A request is `{"photo": "<path>"}`, to be turned
//! into a template, or `{"frames": ["<path>", …]}`, to be judged as a sign-on with active liveness, two
//! frames a step. Usage: `bench_face <folder of the pack>`.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, BufRead, Write};
use std::path::Path;
use std::time::Instant;

use face::liveness::Action;
use face::{Asked, Engine, FaceEngine, Frame, PhotoError, Purpose, Timings, Work};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(untagged)]
enum Request {
    Photo { photo: String },
    Frames { frames: Vec<String> },
}

impl Request {
    /// Reads the files of the request.
    fn read(self) -> io::Result<Vec<Vec<u8>>> {
        let paths = match self {
            Self::Photo { photo } => vec![photo],
            Self::Frames { frames } => frames,
        };
        paths.iter().map(std::fs::read).collect()
    }
}

/// What the frames of a sign-on are to show. Those of the benchmark do not: the work is the same.
const STEPS: [Action; 3] = [Action::LookStraight, Action::TurnLeft, Action::Blink];

#[derive(Serialize)]
struct Answer {
    ms: f64,
    faces: usize,
    /// Milliseconds a stage, networks included; `rest` is in none of them.
    stages: BTreeMap<&'static str, f64>,
    /// Milliseconds inside the networks.
    nets_ms: f64,
    /// The same by each network's name in the pack.
    nets: BTreeMap<String, f64>,
    /// How often each ran.
    runs: BTreeMap<String, u64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let dir = std::env::args().nth(1).ok_or("name the pack's folder")?;
    let dir = Path::new(&dir);
    let engine = Engine::load(dir)?;
    let names = Names::read(dir)?;
    let mut out = io::stdout().lock();
    let versions = format!("{} {}", engine.pack().name(), engine.pack().version());
    writeln!(
        out,
        "{}",
        serde_json::json!({ "versions": { "axiam pack": versions } })
    )?;
    out.flush()?;
    for line in io::stdin().lock().lines() {
        let request: Request = serde_json::from_str(&line?)?;
        let answer = measure(&engine, &names, &request.read()?)?;
        writeln!(out, "{}", serde_json::to_string(&answer)?)?;
        out.flush()?;
    }
    Ok(())
}

fn measure(engine: &Engine, names: &Names, photos: &[Vec<u8>]) -> Result<Answer, Box<dyn Error>> {
    let before = engine.timings();
    let started = Instant::now();
    let faces = match look(engine, photos) {
        Ok(()) => 1,
        Err(PhotoError::Internal(e)) => return Err(e.into()),
        Err(_) => 0,
    };
    let ms = started.elapsed().as_secs_f64() * 1000.0;
    let after = engine.timings();
    let (mut nets, mut runs) = (BTreeMap::new(), BTreeMap::new());
    for ((name, before), (_, after)) in names.nets(&before).into_iter().zip(names.nets(&after)) {
        if after.times > before.times {
            runs.insert(name.clone(), after.times - before.times);
            nets.insert(name, since(&before, &after));
        }
    }
    let mut stages = BTreeMap::from([
        ("decode", since(&before.decode, &after.decode)),
        ("detect", since(&before.detect, &after.detect)),
        ("landmarks", since(&before.landmarks, &after.landmarks)),
        ("embed", since(&before.embed, &after.embed)),
        ("screen", since(&before.screen, &after.screen)),
        ("skin", since(&before.skin, &after.skin)),
    ]);
    stages.insert("rest", ms - stages.values().sum::<f64>());
    Ok(Answer {
        ms,
        faces,
        stages,
        nets_ms: nets.values().sum(),
        nets,
        runs,
    })
}

/// One photo as enrolment takes it, several as an active sign-on does.
fn look(engine: &Engine, photos: &[Vec<u8>]) -> Result<(), PhotoError> {
    if let [photo] = photos {
        return engine.template(photo).map(drop);
    }
    let frames: Vec<Frame<'_>> = photos
        .iter()
        .enumerate()
        .map(|(i, photo)| Frame {
            photo,
            step: i / 2,
            at_ms: i as i64 * 300,
        })
        .collect();
    let purpose = Purpose::Comparison;
    engine
        .scan(&frames, Asked::Actions(&STEPS), purpose)
        .map(drop)
}

/// Milliseconds between two readings.
fn since(before: &Work, after: &Work) -> f64 {
    (after.took - before.took).as_secs_f64() * 1000.0
}

/// The names of the pack's networks: their files without `.onnx`.
struct Names {
    detectors: Vec<String>,
    landmarks: String,
    mesh: String,
    embedding: String,
}

impl Names {
    fn read(dir: &Path) -> Result<Self, Box<dyn Error>> {
        let text = std::fs::read(dir.join("manifest.json"))?;
        let manifest: serde_json::Value = serde_json::from_slice(&text)?;
        let name = |spec: &serde_json::Value| {
            let file = spec["file"].as_str().unwrap_or_default();
            file.trim_end_matches(".onnx").to_owned()
        };
        Ok(Self {
            detectors: manifest["detectors"]
                .as_array()
                .into_iter()
                .flatten()
                .map(name)
                .collect(),
            landmarks: name(&manifest["landmarks"]),
            mesh: name(&manifest["mesh"]),
            embedding: name(&manifest["embedding"]),
        })
    }

    /// Each network's work by its name.
    fn nets(&self, timings: &Timings) -> Vec<(String, Work)> {
        let detectors = self
            .detectors
            .iter()
            .cloned()
            .zip(timings.detector_nets.iter().copied());
        let others = [
            (self.landmarks.clone(), timings.landmark_net),
            (self.mesh.clone(), timings.mesh_net),
            (self.embedding.clone(), timings.recognition_net),
        ];
        detectors.chain(others).collect()
    }
}
