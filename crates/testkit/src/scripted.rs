//! A face engine whose photos are vectors written out, for attacks that need exact distances.

use face::{FaceEngine, PackInfo, PhotoError, Template, Thresholds};

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
        Self(PackInfo::new("scripted", version, thresholds))
    }

    /// A photo that this engine turns into these numbers.
    #[must_use]
    pub fn photo(values: &[f32]) -> Vec<u8> {
        let numbers: Vec<String> = values.iter().map(f32::to_string).collect();
        format!("{MAGIC} {}", numbers.join(" ")).into_bytes()
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
            .map(str::parse)
            .collect::<Result<Vec<f32>, _>>()
            .map_err(|_| PhotoError::Unsupported)?;
        Template::new(&self.0, false, values).map_err(|_| PhotoError::Unsupported)
    }
}
