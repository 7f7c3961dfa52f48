//! Our side of `make bench-face`: reads one request a line, `{"photo": "<path>"}`, turns the photo into
//! a template, and answers with a line of JSON: milliseconds in all and by stage, and how often each
//! network ran. Usage: `bench_face <folder of the pack>`.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, BufRead, Write};
use std::path::Path;
use std::time::Instant;

use face::{Engine, FaceEngine, Spent, Work};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Request {
    photo: String,
}

#[derive(Serialize)]
struct Answer {
    ms: f64,
    faces: usize,
    /// Milliseconds a stage, networks included.
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
        let answer = measure(&engine, &names, &std::fs::read(request.photo)?)?;
        writeln!(out, "{}", serde_json::to_string(&answer)?)?;
        out.flush()?;
    }
    Ok(())
}

fn measure(engine: &Engine, names: &Names, photo: &[u8]) -> Result<Answer, Box<dyn Error>> {
    let before = engine.spent();
    let started = Instant::now();
    let template = engine.template(photo);
    let ms = started.elapsed().as_secs_f64() * 1000.0;
    template?;
    let after = engine.spent();
    let (mut nets, mut runs) = (BTreeMap::new(), BTreeMap::new());
    for ((name, before), (_, after)) in names.nets(&before).into_iter().zip(names.nets(&after)) {
        if after.times > before.times {
            runs.insert(name.clone(), after.times - before.times);
            nets.insert(name, since(&before, &after));
        }
    }
    let stages = BTreeMap::from([
        ("decode", since(&before.decode, &after.decode)),
        ("detect", since(&before.detect, &after.detect)),
        ("landmarks", since(&before.landmarks, &after.landmarks)),
        ("embed", since(&before.embed, &after.embed)),
    ]);
    Ok(Answer {
        ms,
        faces: 1,
        stages,
        nets_ms: nets.values().sum(),
        nets,
        runs,
    })
}

/// Milliseconds between two readings.
fn since(before: &Work, after: &Work) -> f64 {
    (after.took - before.took).as_secs_f64() * 1000.0
}

/// The names of the pack's networks: their files without `.onnx`.
struct Names {
    detectors: Vec<String>,
    landmarks: String,
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
            embedding: name(&manifest["embedding"]),
        })
    }

    /// Each network's work by its name.
    fn nets(&self, spent: &Spent) -> Vec<(String, Work)> {
        let detectors = self
            .detectors
            .iter()
            .cloned()
            .zip(spent.detector_nets.iter().copied());
        let others = [
            (self.landmarks.clone(), spent.landmark_net),
            (self.embedding.clone(), spent.recognition_net),
        ];
        detectors.chain(others).collect()
    }
}
