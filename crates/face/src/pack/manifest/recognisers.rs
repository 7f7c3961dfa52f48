//! What a manifest says of the networks that recognise: one, or several that are fused.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::networks::InputSpec;

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
    /// Of several networks only: the standard deviation of the distances of strangers, vectors of unit
    /// length. The smaller it is, the more the network counts.
    #[serde(default)]
    pub deviation: Option<f32>,
}

/// The recognition networks of a pack: one, written as an object, or several, as a list.
#[derive(Debug, Clone)]
pub(crate) struct Recognisers(pub Vec<EmbeddingSpec>);

impl<'de> Deserialize<'de> for Recognisers {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OneOrMore)
    }
}

/// Told apart by hand: what serde says of an untagged enum does not tell which word of it is wrong.
struct OneOrMore;

impl<'de> Visitor<'de> for OneOrMore {
    type Value = Recognisers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a recognition network, or a list of some")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Recognisers, A::Error> {
        let one = EmbeddingSpec::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Recognisers(vec![one]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Recognisers, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(Recognisers)
    }
}

impl Recognisers {
    /// Numbers of a template.
    pub(crate) fn dimensions(&self) -> usize {
        let each = self.0.iter().map(|net| net.dimensions);
        each.fold(0, usize::saturating_add)
    }

    /// Whether templates have unit length; those of several networks always have.
    pub(crate) fn unit(&self) -> bool {
        self.0.len() > 1 || self.0.iter().all(|net| net.unit)
    }

    /// What each network's vector of unit length is multiplied with, so that all of them together have
    /// unit length: in proportion to 1 / deviation.
    pub(crate) fn weights(&self) -> Vec<f32> {
        let each = self.0.iter().map(|net| 1.0 / net.deviation.unwrap_or(1.0));
        let each: Vec<f32> = each.collect();
        let length = each.iter().map(|w| w * w).sum::<f32>().sqrt();
        each.iter().map(|w| w / length).collect()
    }

    /// What is wrong with them, each by itself and together.
    pub(super) fn problem(&self, points: bool) -> Option<String> {
        if self.0.is_empty() {
            return Some("names no recognition network".into());
        }
        if !(1..=4096).contains(&self.dimensions()) {
            return Some(format!("wants templates of {} numbers", self.dimensions()));
        }
        self.0.iter().find_map(|net| {
            let problem = net.problem(points);
            problem.or_else(|| match net.deviation {
                None if self.0.len() > 1 => Some(format!(
                    "names several recognition networks, but no deviation of {}: without it they cannot \
                     be weighed against each other",
                    net.file
                )),
                Some(d) if !(d > 0.0 && d <= 2.0) => {
                    Some(format!("gives {} a deviation of {d}", net.file))
                }
                _ => None,
            })
        })
    }
}

impl EmbeddingSpec {
    fn problem(&self, points: bool) -> Option<String> {
        if let Some(problem) = self.input.problem(&self.file) {
            return Some(problem);
        }
        match self.alignment {
            AlignmentSpec::Dlib { padding } if !(0.0..=2.0).contains(&padding) => {
                Some(format!("wants a padding of {padding}"))
            }
            AlignmentSpec::Dlib { .. } if !points => Some(
                "aligns faces on dlib's shape, which takes the 68 points of a landmark network, but names \
                 none: add \"landmarks\", or align by \"arcface\""
                    .into(),
            ),
            _ => None,
        }
    }
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
