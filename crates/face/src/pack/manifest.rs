//! The manifest of a pack: which files, how each network wants its input, what its output means.

use std::path::{Component, Path};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{PackError, Thresholds};

/// The file every pack has.
const FILE: &str = "manifest.json";
/// The manifest layout this build reads.
const FORMAT: u32 = 1;
/// Networks here are below 25 MB; the bound keeps a wrong folder from being read into memory.
const MAX_FILE_BYTES: u64 = 512 << 20;

/// `manifest.json` as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    format: u32,
    pub name: String,
    pub version: String,
    /// For people; nothing depends on it.
    #[serde(rename = "licence")]
    _licence: String,
    /// For people; nothing depends on it.
    #[serde(rename = "source")]
    _source: String,
    /// From cheap to strong; the next is asked where the one before is in doubt.
    pub detectors: Vec<DetectorSpec>,
    pub landmarks: LandmarkSpec,
    pub embedding: EmbeddingSpec,
    pub thresholds: Thresholds,
}

/// How a network sees a picture: a square of `side` RGB pixels, channels first,
/// each number `(pixel - mean) * scale` with pixels from 0 to 255.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InputSpec {
    pub side: usize,
    mean: [f32; 3],
    scale: f32,
}

impl InputSpec {
    /// The numbers for one pixel.
    pub(crate) fn numbers(&self, pixel: [u8; 3]) -> [f32; 3] {
        std::array::from_fn(|c| (f32::from(pixel[c]) - self.mean[c]) * self.scale)
    }

    /// The numbers for interleaved RGB bytes.
    pub(crate) fn tensor(&self, rgb: &[u8]) -> Vec<f32> {
        let plane = rgb.len() / 3;
        let mut values = Vec::with_capacity(rgb.len());
        for (c, mean) in self.mean.iter().enumerate() {
            values.extend(
                rgb.iter()
                    .skip(c)
                    .step_by(3)
                    .take(plane)
                    .map(|v| (f32::from(*v) - mean) * self.scale),
            );
        }
        values
    }
}

/// A detector.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DetectorSpec {
    pub file: String,
    pub sha256: String,
    pub input: InputSpec,
    pub kind: DetectorKind,
    /// `yolo` only: width and height of each anchor, in cells.
    #[serde(default)]
    pub anchors: Vec<[f32; 2]>,
}

/// What a detector's output means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DetectorKind {
    /// One output `[1, 5 * anchors, cells, cells]`, raw; a cell is 32 pixels.
    Yolo,
    /// Two outputs: boxes `[1, n, 4]` as top, left, bottom, right in units of the side; scores `[1, n]`.
    Ssd,
}

/// A network that finds landmarks in the crop of a face.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LandmarkSpec {
    pub file: String,
    pub sha256: String,
    pub input: InputSpec,
    pub kind: LandmarkKind,
}

/// What a landmark network's output means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum LandmarkKind {
    /// One output `[1, 68, 2]`: x, y in units of the side, in the order of the iBUG 68-point scheme.
    #[serde(rename = "points68")]
    Points68,
}

/// The network that turns an aligned face into a vector.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmbeddingSpec {
    pub file: String,
    pub sha256: String,
    pub input: InputSpec,
    pub dimensions: usize,
    pub alignment: AlignmentSpec,
    /// Whether to take the mean of the face and its mirror image.
    pub mirrored: bool,
    /// Whether vectors are brought to unit length.
    pub unit: bool,
}

/// How the face lies in the network's square.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum AlignmentSpec {
    /// On dlib's mean face shape, with `padding` times the shape's side around it.
    Dlib { padding: f32 },
}

impl Manifest {
    /// Reads and checks the manifest of the pack in `dir`; the networks are not read yet.
    pub(crate) fn read(dir: &Path) -> Result<Self, PackError> {
        let path = dir.join(FILE);
        let text = read_file(&path)?;
        let manifest: Self = serde_json::from_slice(&text)
            .map_err(|e| PackError::new(&path, format!("is no manifest: {e}")))?;
        manifest
            .problem()
            .map_or(Ok(()), |problem| Err(PackError::new(&path, problem)))?;
        Ok(manifest)
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
        let detectors = self.detectors.iter().map(|d| &d.input);
        for input in detectors.chain([&self.landmarks.input, &self.embedding.input]) {
            if !(16..=2048).contains(&input.side) || !input.scale.is_finite() {
                return Some(format!(
                    "has an input of {} pixels or an odd scale",
                    input.side
                ));
            }
        }
        for detector in self
            .detectors
            .iter()
            .filter(|d| d.kind == DetectorKind::Yolo)
        {
            if detector.anchors.is_empty() || !detector.input.side.is_multiple_of(32) {
                return Some(format!(
                    "gives {} no anchors, or a side that is no multiple of 32",
                    detector.file
                ));
            }
        }
        if !(1..=4096).contains(&self.embedding.dimensions) {
            return Some(format!(
                "wants templates of {} numbers",
                self.embedding.dimensions
            ));
        }
        let AlignmentSpec::Dlib { padding } = self.embedding.alignment;
        if !(0.0..=2.0).contains(&padding) {
            return Some(format!("wants a padding of {padding}"));
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
        None
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
    let found: String = Sha256::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if !found.eq_ignore_ascii_case(sha256) {
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
