//! A pack: a folder of networks with a manifest.
//!
//! `manifest.json` names the files with their SHA-256, says how each network wants its input, and which
//! distance between templates stands for which false match rate. Everything is checked when the pack is
//! loaded; what is wrong is said in one sentence that names the file.
//!
//! # Where the default pack's thresholds come from
//!
//! From 2,485,335 pairs of 2,230 different people, one portrait each (the public repository
//! `voteview/member_photos`): 1.11, 1.06 and 1.01 are the distances at which 1/1,000, 1/10,000 and 1/100,000
//! of them match. `docs/decisions/0027-sface.md` says who these people are and what that does not show.
//!
//! # Where the thresholds of the pack `dlib` come from
//!
//! Someone compared all 81,875,206 pairs of LFW (12,797 photos of 5,467 people) with the same weights
//! and published precision and recall by distance (<https://jackgrimes.net/projects/face_recognition>).
//! With LFW's roughly 235,000 mated pairs that gives the false match rate:
//!
//! | distance | precision | recall | FMR |
//! | --- | --- | --- | --- |
//! | 0.60 | 0.34 | 0.99 | 5.5 in 1,000 |
//! | 0.55 | 0.71 | 0.96 | 1.1 in 1,000 |
//! | 0.50 | 0.91 | 0.84 | 2.4 in 10,000 |
//! | 0.45 | 0.98 | 0.59 | 3.5 in 100,000 |
//!
//! On a logarithmic scale 1/1,000 lies at 0.546, 1/10,000 at 0.477 and 1/100,000, just beyond the table,
//! at 0.42. Taking the mean of a face and its mirror image brings strangers 0.8 % nearer (measured here),
//! so these are scaled by 0.992 and rounded down: 0.54, 0.47, 0.42.
//!
//! These are rates among strangers of all kinds. Among people of one sex, age and origin they are higher:
//! 22 young women in the package's demo pictures are 0.73 from each other on average (deviation 0.08),
//! where the nine persons of the measuring photos are 0.87; for them 1/10,000 would lie near 0.43.
//! And a strict threshold refuses more of the right people: the recall above is one photo against one;
//! [fusing](crate::Template::fuse) several photos at enrolment is what wins it back. On the measuring
//! photos 7 of 72 pairs are refused at 0.47, but none of 28 when three photos of the person are fused.

pub(crate) mod manifest;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

pub(crate) use manifest::InputSpec;
use serde::{Deserialize, Serialize};

/// How often a stranger may pass: the false match rate (ISO/IEC 19795-1) a threshold stands for.
///
/// A site chooses one of these, never a distance: distances mean nothing outside their pack.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default,
)]
pub enum FmrLevel {
    /// At most one stranger in 1,000.
    #[serde(rename = "1/1000")]
    OneIn1000,
    /// At most one stranger in 10,000: what NIST SP 800-63B-4 asks for, and the default.
    #[default]
    #[serde(rename = "1/10000")]
    OneIn10000,
    /// At most one stranger in 100,000.
    #[serde(rename = "1/100000")]
    OneIn100000,
}

impl FmrLevel {
    /// All levels, from lenient to strict.
    pub const ALL: [Self; 3] = [Self::OneIn1000, Self::OneIn10000, Self::OneIn100000];

    /// The level's written form, e.g. `1/10000`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OneIn1000 => "1/1000",
            Self::OneIn10000 => "1/10000",
            Self::OneIn100000 => "1/100000",
        }
    }
}

impl FmrLevel {
    /// The false match rate itself, e.g. 0.0001.
    pub const fn rate(self) -> f64 {
        match self {
            Self::OneIn1000 => 1e-3,
            Self::OneIn10000 => 1e-4,
            Self::OneIn100000 => 1e-5,
        }
    }
}

impl fmt::Display for FmrLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for FmrLevel {
    type Err = UnknownFmrLevel;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|level| level.as_str() == text)
            .ok_or(UnknownFmrLevel)
    }
}

/// The text names no [`FmrLevel`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected one of 1/1000, 1/10000, 1/100000")]
pub struct UnknownFmrLevel;

/// The largest distance that still counts as a match, for each level.
///
/// Units: Euclidean distance between templates of the pack. Source: the pack's manifest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// The largest distance that matches at [`FmrLevel::OneIn1000`].
    #[serde(rename = "1/1000")]
    pub one_in_1000: f32,
    /// The same at [`FmrLevel::OneIn10000`].
    #[serde(rename = "1/10000")]
    pub one_in_10000: f32,
    /// The same at [`FmrLevel::OneIn100000`].
    #[serde(rename = "1/100000")]
    pub one_in_100000: f32,
}

/// What a caller needs to know of the loaded pack.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PackInfo {
    name: String,
    version: String,
    thresholds: Thresholds,
    licence: String,
    source: String,
    sha256: String,
    landmarks68: bool,
    networks: Vec<String>,
    liveness: bool,
}

impl PackInfo {
    /// Describes a pack. `name` and `version` are 1 to 255 bytes each; templates carry both.
    pub fn new(
        name: impl Into<String>,
        version: impl Into<String>,
        thresholds: Thresholds,
    ) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            thresholds,
            licence: String::new(),
            source: String::new(),
            sha256: String::new(),
            landmarks68: true,
            networks: Vec::new(),
            liveness: false,
        }
    }

    /// Reads the description of the pack in `dir`, without loading its networks.
    ///
    /// # Errors
    /// [`PackError`] where there is no manifest that this build reads.
    pub fn read(dir: &Path) -> Result<Self, PackError> {
        Ok(manifest::Manifest::read(dir)?.info())
    }

    /// Whether the pack finds the 68 points of a face. Without them faces are aligned by the five points
    /// of its detector.
    pub fn landmarks68(&self) -> bool {
        self.landmarks68
    }

    /// A line for each network: file, what it is for, what it sees.
    pub fn networks(&self) -> &[String] {
        &self.networks
    }

    /// Under which licence the networks are, as the manifest says.
    pub fn licence(&self) -> &str {
        &self.licence
    }

    /// Where the networks come from, as the manifest says.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// SHA-256 of the manifest, in hex. The manifest holds that of every other file, so this one stands
    /// for the whole pack. Empty for a pack that was not read from a folder.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The same for a pack that has what [liveness](crate::liveness) needs.
    #[must_use]
    pub fn with_liveness(self) -> Self {
        Self {
            liveness: true,
            ..self
        }
    }

    /// Whether the pack can prove life: it has a face mesh. Without, only photos can be compared.
    pub fn has_liveness(&self) -> bool {
        self.liveness
    }

    /// The pack's name, e.g. `default`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The pack's version. Templates of two versions are not comparable.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The largest [distance](crate::Template::distance) that counts as a match at `level`.
    pub fn threshold(&self, level: FmrLevel) -> f32 {
        match level {
            FmrLevel::OneIn1000 => self.thresholds.one_in_1000,
            FmrLevel::OneIn10000 => self.thresholds.one_in_10000,
            FmrLevel::OneIn100000 => self.thresholds.one_in_100000,
        }
    }
}

/// Why a pack could not be loaded: one sentence that names the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the face pack cannot be used: {} {problem}", path.display())]
pub struct PackError {
    path: PathBuf,
    problem: String,
}

impl PackError {
    pub(crate) fn new(path: &Path, problem: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            problem: problem.into(),
        }
    }

    /// The file or folder that is at fault.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
