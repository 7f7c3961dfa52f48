//! A face engine whose photos are vectors written out, for attacks that need exact distances.

use face::{
    Asked, FaceEngine, Fingerprint, Frame, PackInfo, PhotoError, Purpose, Scan, Template,
    Thresholds,
    liveness::{Action, Doubt},
};
use sha2::{Digest, Sha256};

/// First bytes of a written photo.
const MAGIC: &str = "scripted face";

/// The engine; its thresholds are those of the default pack.
pub struct Scripted(PackInfo);

impl Scripted {
    /// The engine of one version of the pack `scripted`.
    #[must_use]
    pub fn version(version: &str) -> Self {
        let thresholds = Thresholds {
            one_in_1000: 0.54,
            one_in_10000: 0.47,
            one_in_100000: 0.42,
        };
        Self(PackInfo::new("scripted", version, thresholds).with_liveness())
    }

    /// A photo that this engine turns into these numbers.
    #[must_use]
    pub fn photo(values: &[f32]) -> Vec<u8> {
        let numbers: Vec<String> = values.iter().map(f32::to_string).collect();
        format!("{MAGIC} {}", numbers.join(" ")).into_bytes()
    }
}

/// Begins the number of a take.
const TAKE: char = '#';
/// Ends the numbers of a photo that raises a doubt.
const FLAT: &str = "flat";
const STIFF: &str = "stiff";

impl Scripted {
    /// A photo of the same face, but of something flat.
    #[must_use]
    pub fn flat(values: &[f32]) -> Vec<u8> {
        [Self::photo(values), format!(" {FLAT}").into_bytes()].concat()
    }

    /// A photo of the same face, but not turned as asked.
    #[must_use]
    pub fn stiff(values: &[f32]) -> Vec<u8> {
        [Self::photo(values), format!(" {STIFF}").into_bytes()].concat()
    }

    /// Photos of the same face that were taken one after the other; each `take` has others.
    #[must_use]
    pub fn take(values: &[f32], take: usize, count: usize) -> Vec<Vec<u8>> {
        (0..count)
            .map(|at| {
                let number = format!(" {TAKE}{take}.{at}");
                [Self::photo(values), number.into_bytes()].concat()
            })
            .collect()
    }

    fn doubt(photo: &[u8]) -> Result<(), Doubt> {
        if photo.ends_with(FLAT.as_bytes()) {
            Err(Doubt::Flat)
        } else if photo.ends_with(STIFF.as_bytes()) {
            Err(Doubt::Missing(Action::TurnLeft))
        } else {
            Ok(())
        }
    }
}

impl FaceEngine for Scripted {
    fn pack(&self) -> &PackInfo {
        &self.0
    }

    fn template(&self, photo: &[u8]) -> Result<Template, PhotoError> {
        let text = std::str::from_utf8(photo).map_err(|_| PhotoError::Unsupported)?;
        let numbers = text.strip_prefix(MAGIC).ok_or(PhotoError::Unsupported)?;
        let values = numbers
            .split_whitespace()
            .filter(|word| ![FLAT, STIFF].contains(word) && !word.starts_with(TAKE))
            .map(str::parse)
            .collect::<Result<Vec<f32>, _>>()
            .map_err(|_| PhotoError::Unsupported)?;
        Template::new(&self.0, false, values).map_err(|_| PhotoError::Unsupported)
    }

    fn scan(&self, frames: &[Frame<'_>], asked: Asked<'_>, _: Purpose) -> Result<Scan, PhotoError> {
        let templates = frames
            .iter()
            .map(|frame| self.template(frame.photo))
            .collect::<Result<_, _>>()?;
        let liveness = match asked {
            Asked::Nothing => Ok(()),
            _ => frames.iter().try_for_each(|frame| Self::doubt(frame.photo)),
        };
        Ok(Scan {
            templates,
            more: Vec::new(),
            liveness,
            fingerprints: frames
                .iter()
                .filter_map(|frame| fingerprint(frame.photo))
                .collect(),
            evidence: None,
        })
    }
}

/// Differs in half of its bits from that of any other photo.
fn fingerprint(photo: &[u8]) -> Option<Fingerprint> {
    let half = |salt: u8| Sha256::digest([photo, &[salt]].concat());
    Fingerprint::from_bytes(&[half(0), half(1)].concat())
}
