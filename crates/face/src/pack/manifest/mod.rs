//! The manifest of a pack: which files, how each network wants its input, what its output means.

mod networks;
mod recognisers;

use std::path::{Component, Path};

use serde::Deserialize;
use sha2::{Digest, Sha256};

pub(crate) use networks::{
    DetectorKind, DetectorSpec, InputSpec, LandmarkKind, LandmarkSpec, MeshKind, MeshSpec, Scores,
};
pub(crate) use recognisers::{AlignmentSpec, EmbeddingSpec, Recognisers};

use super::{PackError, PackInfo, Thresholds};

/// The file every pack has.
const FILE: &str = "manifest.json";
/// The manifest layout this build reads.
const FORMAT: u32 = 1;
/// Networks here are below 25 MB; the bound keeps a wrong folder from being read into memory.
const MAX_FILE_BYTES: u64 = 512 << 20;
/// Random directions are sqrt(2) apart: at such a threshold half of all strangers match.
const LARGEST_UNIT_DISTANCE: f32 = std::f32::consts::SQRT_2;

/// `manifest.json` as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    format: u32,
    pub name: String,
    pub version: String,
    /// For people; nothing depends on it.
    pub licence: String,
    /// For people; nothing depends on it.
    pub source: String,
    /// SHA-256 of the manifest itself.
    #[serde(skip)]
    pub sha256: String,
    /// From cheap to strong; the next is asked where the one before is in doubt.
    pub detectors: Vec<DetectorSpec>,
    /// May be left out if the detectors give five points and the recognition network wants no more.
    #[serde(default)]
    pub landmarks: Option<LandmarkSpec>,
    /// Without it nothing can be asked of a person: no active or passive liveness, no closed eyes.
    #[serde(default)]
    pub mesh: Option<MeshSpec>,
    pub embedding: Recognisers,
    pub thresholds: Thresholds,
}

impl Manifest {
    /// Reads and checks the manifest of the pack in `dir`; the networks are not read yet.
    pub(crate) fn read(dir: &Path) -> Result<Self, PackError> {
        let path = dir.join(FILE);
        let text = read_file(&path)?;
        let mut manifest: Self = serde_json::from_slice(&text)
            .map_err(|e| PackError::new(&path, format!("is no manifest: {e}")))?;
        manifest.sha256 = hex::encode(Sha256::digest(&text));
        manifest
            .problem()
            .map_or(Ok(()), |problem| Err(PackError::new(&path, problem)))?;
        Ok(manifest)
    }

    /// What callers need to know of the pack.
    pub(crate) fn info(&self) -> PackInfo {
        PackInfo {
            licence: self.licence.clone(),
            source: self.source.clone(),
            sha256: self.sha256.clone(),
            landmarks68: self.landmarks.is_some(),
            liveness: self.mesh.is_some(),
            networks: self.networks(),
            ..PackInfo::new(self.name.clone(), self.version.clone(), self.thresholds)
        }
    }

    /// A line for each network.
    fn networks(&self) -> Vec<String> {
        let line = |file: &str, what: String, input: &InputSpec| {
            format!("{file}: {what}, sees {0} x {0} pixels", input.side)
        };
        let mut lines: Vec<String> = self
            .detectors
            .iter()
            .map(|d| line(&d.file, format!("detector ({})", d.kind.as_str()), &d.input))
            .collect();
        if let Some(points) = &self.landmarks {
            lines.push(line(&points.file, "68 landmarks".into(), &points.input));
        }
        lines.extend(self.embedding.0.iter().map(|faces| {
            let shape = match faces.alignment {
                AlignmentSpec::Dlib { .. } => "dlib's mean shape",
                AlignmentSpec::Arcface => "ArcFace's five points",
            };
            let what = format!(
                "recognition, {} numbers, aligned on {shape}",
                faces.dimensions
            );
            line(&faces.file, what, &faces.input)
        }));
        lines
    }

    /// What is wrong with the manifest itself.
    fn problem(&self) -> Option<String> {
        if self.format != FORMAT {
            return Some(format!(
                "has format {}, this build reads {FORMAT}",
                self.format
            ));
        }
        for (key, text) in [("name", &self.name), ("version", &self.version)] {
            if !(1..=255).contains(&text.len()) {
                return Some(format!("needs a {key} of 1 to 255 bytes"));
            }
        }
        if self.detectors.is_empty() {
            return Some("names no detector".into());
        }
        let problem = self.detectors.iter().find_map(DetectorSpec::problem);
        if let Some(problem) = problem.or_else(|| self.networks_problem()) {
            return Some(problem);
        }
        let t = &self.thresholds;
        let falling = [
            f32::MAX,
            t.one_in_1000,
            t.one_in_10000,
            t.one_in_100000,
            0.0,
        ];
        if !falling.is_sorted_by(|lenient, strict| lenient > strict) {
            return Some("needs thresholds above 0 that fall from 1/1000 to 1/100000".into());
        }
        if self.embedding.unit() && t.one_in_1000 >= LARGEST_UNIT_DISTANCE {
            return Some(format!(
                "has a threshold of {}, but vectors of unit length are never farther apart than 2, and \
                 strangers about 1.4: thresholds are Euclidean distances, sqrt(2 - 2 * cosine)",
                t.one_in_1000
            ));
        }
        None
    }

    /// What is wrong with the networks behind the detectors, or with how they fit together.
    fn networks_problem(&self) -> Option<String> {
        let points = self.landmarks.as_ref();
        if let Some(problem) = points.and_then(|p| p.input.problem(&p.file)) {
            return Some(problem);
        }
        let mesh = self.mesh.as_ref();
        if let Some(problem) = mesh.and_then(|m| m.input.problem(&m.file)) {
            return Some(problem);
        }
        if let Some(problem) = self.embedding.problem(points.is_some()) {
            return Some(problem);
        }
        let five = self.detectors.iter().all(|d| d.kind.has_points());
        (points.is_none() && !five).then(|| {
            "finds the points of a face neither by a landmark network nor by every detector: add \
             \"landmarks\", or use detectors of the kind \"yunet\" only"
                .into()
        })
    }
}

/// Reads file `name` of the pack in `dir` and checks it against its SHA-256 (in hex).
pub(crate) fn read_checked(dir: &Path, name: &str, sha256: &str) -> Result<Vec<u8>, PackError> {
    let mut parts = Path::new(name).components();
    if !matches!(
        (parts.next(), parts.next()),
        (Some(Component::Normal(_)), None)
    ) {
        return Err(PackError::new(
            &dir.join(FILE),
            format!("names the file {name:?}, which lies elsewhere"),
        ));
    }
    let path = dir.join(name);
    let bytes = read_file(&path)?;
    if !hex::encode(Sha256::digest(&bytes)).eq_ignore_ascii_case(sha256) {
        return Err(PackError::new(
            &path,
            "is damaged or was replaced: its SHA-256 is not the manifest's",
        ));
    }
    Ok(bytes)
}

fn read_file(path: &Path) -> Result<Vec<u8>, PackError> {
    let unreadable = |e: std::io::Error| PackError::new(path, format!("cannot be read: {e}"));
    if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_FILE_BYTES {
        return Err(PackError::new(path, "is larger than any network"));
    }
    std::fs::read(path).map_err(unreadable)
}
