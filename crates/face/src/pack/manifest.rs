//! The manifest of a pack: which files, how each network wants its input, what its output means.

use std::path::{Component, Path};

use serde::Deserialize;
use sha2::{Digest, Sha256};

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
    pub embedding: EmbeddingSpec,
    pub thresholds: Thresholds,
}

/// How a network sees a picture: a square of `side` pixels, channels first, each number
/// `(pixel - mean) * scale` with pixels from 0 to 255.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InputSpec {
    pub side: usize,
    /// In which order the network has its colours.
    #[serde(default)]
    channels: Channels,
    /// In the order of `channels`.
    mean: [f32; 3],
    scale: Scale,
}

/// The order of colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Channels {
    #[default]
    Rgb,
    Bgr,
}

/// One factor for all colours, or one for each in the order of the channels.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Scale {
    One(f32),
    Each([f32; 3]),
}

impl InputSpec {
    /// The numbers for one pixel, in the order of the channels.
    pub(crate) fn numbers(&self, [red, green, blue]: [u8; 3]) -> [f32; 3] {
        let scales = self.scales();
        let pixel = match self.channels {
            Channels::Rgb => [red, green, blue],
            Channels::Bgr => [blue, green, red],
        };
        std::array::from_fn(|c| (f32::from(pixel[c]) - self.mean[c]) * scales[c])
    }

    /// The numbers for interleaved RGB bytes.
    pub(crate) fn tensor(&self, rgb: &[u8]) -> Vec<f32> {
        let plane = rgb.len() / 3;
        let mut values = Vec::with_capacity(rgb.len());
        for (c, (mean, scale)) in self.mean.iter().zip(self.scales()).enumerate() {
            let from = match self.channels {
                Channels::Rgb => c,
                Channels::Bgr => 2 - c,
            };
            values.extend(
                rgb.iter()
                    .skip(from)
                    .step_by(3)
                    .take(plane)
                    .map(|v| (f32::from(*v) - mean) * scale),
            );
        }
        values
    }

    fn scales(&self) -> [f32; 3] {
        match self.scale {
            Scale::One(scale) => [scale; 3],
            Scale::Each(scales) => scales,
        }
    }

    /// What is wrong with the input of `file`.
    fn problem(&self, file: &str) -> Option<String> {
        let usable = |scale: &f32| scale.is_finite() && *scale != 0.0;
        if !(16..=2048).contains(&self.side) {
            Some(format!(
                "gives {file} an input of {} pixels; 16 to 2048 are possible",
                self.side
            ))
        } else if !self.scales().iter().all(usable) {
            Some(format!("gives {file} a scale that makes no numbers"))
        } else if !self.mean.iter().all(|m| (-1000.0..=1000.0).contains(m)) {
            Some(format!("gives {file} a mean that is no brightness"))
        } else {
            None
        }
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
    /// From which scores on to believe the detector; each kind has a default.
    #[serde(default)]
    pub scores: Option<Scores>,
}

impl DetectorSpec {
    /// From which scores on to believe the detector.
    pub(crate) fn scores(&self) -> Scores {
        self.scores.unwrap_or(self.kind.scores())
    }
}

/// What a detector's scores, 0 to 1, are worth. Detectors are not calibrated against each other.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scores {
    /// Below this nothing is looked at.
    pub faint: f32,
    /// From here on it is a face, if no stronger detector objects.
    pub face: f32,
    /// From here on it is a face without asking further.
    pub sure: f32,
}

/// What a detector's output means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DetectorKind {
    /// One output `[1, 5 * anchors, cells, cells]`, raw; a cell is 32 pixels.
    Yolo,
    /// Two outputs: boxes `[1, n, 4]` as top, left, bottom, right in units of the side; scores `[1, n]`.
    Ssd,
    /// Twelve outputs, as `face_detection_yunet_2023mar` of the OpenCV zoo has them: for strides of 8, 16
    /// and 32 pixels `cls` and `obj` `[1, n, 1]`, `bbox` `[1, n, 4]`, `kps` `[1, n, 10]`, in this order of
    /// kinds. Gives five points of each face besides its box.
    Yunet,
}

impl DetectorKind {
    /// Whether the detector tells where eyes, nose and mouth are.
    pub(crate) const fn has_points(self) -> bool {
        matches!(self, Self::Yunet)
    }

    /// The kind's written form.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Yolo => "yolo",
            Self::Ssd => "ssd",
            Self::Yunet => "yunet",
        }
    }

    /// How many pixels the side must be a multiple of.
    const fn granule(self) -> usize {
        match self {
            Self::Yolo | Self::Yunet => 32,
            Self::Ssd => 1,
        }
    }

    const fn scores(self) -> Scores {
        let (faint, face, sure) = match self {
            // Measured with the default pack: see `find`.
            Self::Yolo => (0.2, 0.5, 0.7),
            Self::Ssd => (0.2, 0.4, 0.6),
            // OpenCV's sample takes faces from 0.6 on, its class has 0.9 as default.
            Self::Yunet => (0.3, 0.6, 0.8),
        };
        Scores { faint, face, sure }
    }
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

/// A network that lays a mesh on the crop of a face.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MeshSpec {
    pub file: String,
    pub sha256: String,
    pub input: InputSpec,
    pub kind: MeshKind,
}

/// What a mesh network's output means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum MeshKind {
    /// Two outputs: `[1, 1404]`, x, y and depth in pixels of the input for each of MediaPipe's 468
    /// points; `[1, 1]`, the confidence that a face is there, 0 to 1.
    #[serde(rename = "mesh468")]
    Mesh468,
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
    /// Eyes, tip of the nose and corners of the mouth on the five points of ArcFace.
    Arcface,
}

impl Manifest {
    /// Reads and checks the manifest of the pack in `dir`; the networks are not read yet.
    pub(crate) fn read(dir: &Path) -> Result<Self, PackError> {
        let path = dir.join(FILE);
        let text = read_file(&path)?;
        let mut manifest: Self = serde_json::from_slice(&text)
            .map_err(|e| PackError::new(&path, format!("is no manifest: {e}")))?;
        manifest.sha256 = hex_digest(&text);
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
        let faces = &self.embedding;
        let shape = match faces.alignment {
            AlignmentSpec::Dlib { .. } => "dlib's mean shape",
            AlignmentSpec::Arcface => "ArcFace's five points",
        };
        let what = format!(
            "recognition, {} numbers, aligned on {shape}",
            faces.dimensions
        );
        lines.push(line(&faces.file, what, &faces.input));
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
        if self.embedding.unit && t.one_in_1000 >= LARGEST_UNIT_DISTANCE {
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
        let faces = &self.embedding;
        let points = self.landmarks.as_ref();
        if let Some(problem) = points.and_then(|p| p.input.problem(&p.file)) {
            return Some(problem);
        }
        if let Some(problem) = faces.input.problem(&faces.file) {
            return Some(problem);
        }
        let mesh = self.mesh.as_ref();
        if let Some(problem) = mesh.and_then(|m| m.input.problem(&m.file)) {
            return Some(problem);
        }
        if !(1..=4096).contains(&faces.dimensions) {
            return Some(format!("wants templates of {} numbers", faces.dimensions));
        }
        match faces.alignment {
            AlignmentSpec::Dlib { padding } if !(0.0..=2.0).contains(&padding) => {
                Some(format!("wants a padding of {padding}"))
            }
            AlignmentSpec::Dlib { .. } if points.is_none() => Some(
                "aligns faces on dlib's shape, which takes the 68 points of a landmark network, but names \
                 none: add \"landmarks\", or align by \"arcface\""
                    .into(),
            ),
            _ if points.is_none() && !self.detectors.iter().all(|d| d.kind.has_points()) => Some(
                "finds the points of a face neither by a landmark network nor by every detector: add \
                 \"landmarks\", or use detectors of the kind \"yunet\" only"
                    .into(),
            ),
            _ => None,
        }
    }
}

impl DetectorSpec {
    fn problem(&self) -> Option<String> {
        if let Some(problem) = self.input.problem(&self.file) {
            return Some(problem);
        }
        let granule = self.kind.granule();
        if !self.input.side.is_multiple_of(granule) {
            return Some(format!(
                "gives {} a side of {}, which is no multiple of {granule}",
                self.file, self.input.side
            ));
        }
        if self.anchors.is_empty() == (self.kind == DetectorKind::Yolo) {
            return Some(format!(
                "gives {} {} anchors; they belong to the kind \"yolo\"",
                self.file,
                if self.anchors.is_empty() {
                    "no"
                } else {
                    "some"
                }
            ));
        }
        let Scores { faint, face, sure } = self.scores();
        if ![0.0, faint, face, sure, 1.0].is_sorted() {
            return Some(format!(
                "gives {} scores that do not rise from faint over face to sure, within 0 to 1",
                self.file
            ));
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
    if !hex_digest(&bytes).eq_ignore_ascii_case(sha256) {
        return Err(PackError::new(
            &path,
            "is damaged or was replaced: its SHA-256 is not the manifest's",
        ));
    }
    Ok(bytes)
}

/// SHA-256 in hex.
fn hex_digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read_file(path: &Path) -> Result<Vec<u8>, PackError> {
    let unreadable = |e: std::io::Error| PackError::new(path, format!("cannot be read: {e}"));
    if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_FILE_BYTES {
        return Err(PackError::new(path, "is larger than any network"));
    }
    std::fs::read(path).map_err(unreadable)
}
