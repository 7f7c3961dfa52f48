//! What a manifest says of each network.

use serde::Deserialize;

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
    pub(super) fn problem(&self, file: &str) -> Option<String> {
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

/// A network that finds faces, and how to read it.
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
    pub(super) const fn as_str(self) -> &'static str {
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

impl DetectorSpec {
    /// What is wrong with what the manifest says of it.
    pub(super) fn problem(&self) -> Option<String> {
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
