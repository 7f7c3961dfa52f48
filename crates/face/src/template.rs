//! A template: the vector that says whose face it is.

use std::fmt;

use zeroize::Zeroizing;

use crate::PackInfo;

/// First bytes of a serialised template.
const MAGIC: &[u8; 4] = b"AXFT";
/// Version of the byte layout below.
const FORMAT: u8 = 1;
/// Bit of the flags byte: the vector has unit length.
const FLAG_UNIT: u8 = 1;
/// No model in use gives more than 2,048 numbers; the bound keeps hostile input small.
pub(crate) const MAX_DIMS: usize = 4096;
/// Components are below 10 in every model known; this only rejects garbage.
const MAX_COMPONENT: f32 = 1.0e3;

/// A face as a vector, with the pack that made it.
///
/// Vectors of two packs, or of two versions of one pack, live in different spaces: comparing them is
/// an error, never a wrong answer. The vector is wiped from memory on drop and never printed.
#[derive(Clone)]
pub struct Template {
    pack: String,
    version: String,
    unit: bool,
    values: Zeroizing<Vec<f32>>,
}

/// Why templates could not be read, compared or fused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// The templates come from different packs or versions; the person has to enrol again.
    #[error("the templates were made by different packs")]
    OtherPack,
    /// The templates are under different [protections](crate::Protection).
    #[error("the templates are under different protections")]
    OtherProtection,
    /// The bytes are no template, or damaged.
    #[error("the bytes are not a template")]
    Malformed,
    /// There is nothing to fuse.
    #[error("no template to fuse")]
    Empty,
}

impl Template {
    /// A template from a model's output, 1 to 4,096 finite numbers.
    ///
    /// `unit` says that the vector has unit length and that fused vectors must have it too.
    ///
    /// # Errors
    /// [`TemplateError::Malformed`] if the numbers or the pack's name are out of range.
    pub fn new(pack: &PackInfo, unit: bool, values: Vec<f32>) -> Result<Self, TemplateError> {
        Self::checked(
            pack.name().into(),
            pack.version().into(),
            unit,
            Zeroizing::new(values),
        )
    }

    fn checked(
        pack: String,
        version: String,
        unit: bool,
        values: Zeroizing<Vec<f32>>,
    ) -> Result<Self, TemplateError> {
        let names_fit = [&pack, &version]
            .iter()
            .all(|s| (1..=255).contains(&s.len()));
        let size_fits = (1..=MAX_DIMS).contains(&values.len());
        // `<=` is false for NaN, so this also refuses what is not a number.
        if names_fit && size_fits && values.iter().all(|v| v.abs() <= MAX_COMPONENT) {
            Ok(Self {
                pack,
                version,
                unit,
                values,
            })
        } else {
            Err(TemplateError::Malformed)
        }
    }

    /// Name of the pack that made this template.
    pub fn pack(&self) -> &str {
        &self.pack
    }

    /// Version of the pack that made this template.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// How many numbers the vector has.
    pub fn dims(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn values(&self) -> &[f32] {
        &self.values
    }

    pub(crate) fn is_unit(&self) -> bool {
        self.unit
    }

    /// Other numbers of the same pack.
    pub(crate) fn with_values(&self, values: Zeroizing<Vec<f32>>) -> Result<Self, TemplateError> {
        Self::checked(self.pack.clone(), self.version.clone(), self.unit, values)
    }

    /// Whether `pack` made this template, so that it can be compared with what `pack` makes now.
    pub fn is_of(&self, pack: &PackInfo) -> bool {
        self.pack == pack.name() && self.version == pack.version()
    }

    /// Euclidean distance to `other`: 0 is identical, smaller is more alike. Symmetric.
    ///
    /// # Errors
    /// [`TemplateError::OtherPack`] if the two were not made by the same pack and version.
    pub fn distance(&self, other: &Self) -> Result<f32, TemplateError> {
        self.same_space(other)?;
        let square: f32 = self
            .values
            .iter()
            .zip(other.values.iter())
            .map(|(a, b)| (a - b) * (a - b))
            .sum();
        Ok(square.sqrt())
    }

    /// The mean of several templates of one person: nearer to their other photos than any single one.
    ///
    /// # Errors
    /// [`TemplateError::Empty`] for none, [`TemplateError::OtherPack`] if packs differ.
    pub fn fuse(templates: &[Self]) -> Result<Self, TemplateError> {
        Self::fuse_all(templates.iter())
    }

    pub(crate) fn fuse_all<'a>(
        templates: impl ExactSizeIterator<Item = &'a Self> + Clone,
    ) -> Result<Self, TemplateError> {
        let count = templates.len();
        let first = templates.clone().next().ok_or(TemplateError::Empty)?;
        let mut sum = Zeroizing::new(vec![0.0_f32; first.values.len()]);
        for template in templates {
            first.same_space(template)?;
            for (total, value) in sum.iter_mut().zip(template.values.iter()) {
                *total += value;
            }
        }
        let scale = if first.unit {
            sum.iter()
                .map(|v| v * v)
                .sum::<f32>()
                .sqrt()
                .max(f32::MIN_POSITIVE)
        } else {
            count as f32
        };
        sum.iter_mut().for_each(|v| *v /= scale);
        first.with_values(sum)
    }

    fn same_space(&self, other: &Self) -> Result<(), TemplateError> {
        let same = self.pack == other.pack
            && self.version == other.version
            && self.unit == other.unit
            && self.values.len() == other.values.len();
        if same {
            Ok(())
        } else {
            Err(TemplateError::OtherPack)
        }
    }

    /// The template as bytes, to be encrypted and stored.
    ///
    /// Layout, little endian: `AXFT`, format `u8`, flags `u8`, length `u8` and UTF-8 of the pack's
    /// name, the same of its version, dimensions `u16`, then that many `f32`.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let size = 10 + self.pack.len() + self.version.len() + 4 * self.values.len();
        let mut bytes = Zeroizing::new(Vec::with_capacity(size));
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&[FORMAT, if self.unit { FLAG_UNIT } else { 0 }]);
        for text in [&self.pack, &self.version] {
            bytes.push(text.len() as u8);
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes.extend_from_slice(&(self.values.len() as u16).to_le_bytes());
        for value in self.values.iter() {
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`TemplateError::Malformed`] for anything else: wrong magic, length, text or number.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TemplateError> {
        Self::parse(bytes).ok_or(TemplateError::Malformed)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (&[format, flags], rest) = rest.split_first_chunk()?;
        if format != FORMAT || flags & !FLAG_UNIT != 0 {
            return None;
        }
        let (pack, rest) = split_text(rest)?;
        let (version, rest) = split_text(rest)?;
        let (dims, rest) = rest.split_first_chunk()?;
        if rest.len() != 4 * usize::from(u16::from_le_bytes(*dims)) {
            return None;
        }
        let (chunks, _) = rest.as_chunks();
        let values = Zeroizing::new(chunks.iter().map(|c| f32::from_le_bytes(*c)).collect());
        Self::checked(pack.into(), version.into(), flags & FLAG_UNIT != 0, values).ok()
    }
}

fn split_text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (&len, rest) = bytes.split_first()?;
    let (text, rest) = rest.split_at_checked(usize::from(len))?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template")
            .field("pack", &self.pack)
            .field("version", &self.version)
            .field("dims", &self.values.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Thresholds;

    fn info(version: &str) -> PackInfo {
        let thresholds = Thresholds {
            one_in_1000: 0.6,
            one_in_10000: 0.5,
            one_in_100000: 0.4,
        };
        PackInfo::new("test", version, thresholds)
    }

    fn template(values: &[f32]) -> Template {
        Template::new(&info("1"), false, values.to_vec()).unwrap()
    }

    #[test]
    fn distance_is_euclidean_and_symmetric() {
        let (a, b) = (template(&[0.0, 3.0]), template(&[4.0, 0.0]));
        assert_eq!(a.distance(&b), Ok(5.0));
        assert_eq!(b.distance(&a), Ok(5.0));
        assert_eq!(a.distance(&a), Ok(0.0));
    }

    #[test]
    fn templates_of_other_packs_are_not_compared() {
        let a = template(&[1.0, 2.0]);
        let b = Template::new(&info("2"), false, vec![1.0, 2.0]).unwrap();
        assert_eq!(a.distance(&b), Err(TemplateError::OtherPack));
        assert_eq!(
            Template::fuse(&[a, b]).unwrap_err(),
            TemplateError::OtherPack
        );
    }

    #[test]
    fn fusing_takes_the_mean() {
        let fused = Template::fuse(&[template(&[1.0, 0.0]), template(&[3.0, 4.0])]).unwrap();
        assert_eq!(fused.values.as_slice(), [2.0, 2.0]);
        assert_eq!(Template::fuse(&[]).unwrap_err(), TemplateError::Empty);
    }

    #[test]
    fn fused_unit_vectors_stay_unit_vectors() {
        let one = |v: [f32; 2]| Template::new(&info("1"), true, v.to_vec()).unwrap();
        let fused = Template::fuse(&[one([1.0, 0.0]), one([0.0, 1.0])]).unwrap();
        let length: f32 = fused.values.iter().map(|v| v * v).sum();
        assert!((length - 1.0).abs() < 1e-6);
    }

    #[test]
    fn bytes_come_back_as_they_went() {
        let a = template(&[0.25, -1.5, 0.0]);
        let b = Template::from_bytes(&a.to_bytes()).unwrap();
        assert_eq!(a.distance(&b), Ok(0.0));
        assert_eq!(a.to_bytes(), b.to_bytes());
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let good = template(&[0.25, -1.5]).to_bytes();
        for end in 0..good.len() {
            assert!(Template::from_bytes(&good[..end]).is_err(), "cut at {end}");
        }
        let mut longer = good.to_vec();
        longer.push(0);
        assert!(Template::from_bytes(&longer).is_err());
        let mut nan = good.to_vec();
        let end = nan.len();
        nan[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        assert!(Template::from_bytes(&nan).is_err());
        assert!(Template::new(&info("1"), false, vec![]).is_err());
        assert!(Template::new(&info(""), false, vec![1.0]).is_err());
    }

    #[test]
    fn debug_shows_no_values() {
        let text = format!("{:?}", template(&[0.1234]));
        assert!(!text.contains("0.1234"), "{text}");
    }
}
