//! From an aligned face to its vector.

use zeroize::Zeroizing;

use crate::align::Place;
use crate::image::Image;
use crate::net::{Net, NetError};
use crate::pack::manifest::{AlignmentSpec, EmbeddingSpec};
use crate::timings::Work;
use crate::{PackInfo, PhotoError, Template, align};

/// ArcFace's square holds about 1.55 times dlib's face box, nearly in its middle.
const ARCFACE_PADDING: f32 = 0.275;

/// The network that turns an aligned face into its vector.
pub(crate) struct Embedder {
    net: Net,
    spec: EmbeddingSpec,
}

impl Embedder {
    pub(crate) fn load(bytes: &[u8], spec: &EmbeddingSpec) -> Result<Self, NetError> {
        let net = Net::load(bytes, spec.input.clone(), &[&[1, spec.dimensions]])?;
        Ok(Self {
            net,
            spec: spec.clone(),
        })
    }

    /// The network's runs so far.
    pub(crate) fn work(&self) -> Work {
        self.net.work()
    }

    /// Room around the face box in a chip, in units of the box.
    pub(crate) fn padding(&self) -> f32 {
        match self.spec.alignment {
            AlignmentSpec::Dlib { padding } => padding,
            AlignmentSpec::Arcface => ARCFACE_PADDING,
        }
    }

    /// The square the network looks at.
    pub(crate) fn chip(&self, image: &Image, place: &Place) -> Result<Image, PhotoError> {
        let side = self.net.side();
        let to_face = match self.spec.alignment {
            AlignmentSpec::Dlib { padding } => align::chip_to_face(place.shape, side, padding),
            AlignmentSpec::Arcface => align::arcface_to_face(&place.five, side)
                .ok_or_else(|| PhotoError::Internal("the landmarks fall together".into()))?,
        };
        image.warped(to_face, side)
    }

    /// The template of a chip.
    pub(crate) fn template(&self, pack: &PackInfo, chip: &Image) -> Result<Template, PhotoError> {
        let vector = if self.spec.mirrored {
            let [outputs, mirrored] = self.net.run_all([chip, &chip.mirrored()])?;
            let (mut vector, other) = (self.vector(outputs), self.vector(mirrored));
            for (value, mirrored) in vector.iter_mut().zip(other.iter()) {
                *value = (*value + mirrored) / 2.0;
            }
            if self.spec.unit {
                normalise(&mut vector);
            }
            vector
        } else {
            self.vector(self.net.run(chip)?)
        };
        self.finished(pack, vector)
    }

    /// The same at half the price, from the chip alone: good enough to tell that two frames of one
    /// answer show one person.
    pub(crate) fn sketch(&self, pack: &PackInfo, chip: &Image) -> Result<Template, PhotoError> {
        self.finished(pack, self.vector(self.net.run(chip)?))
    }

    fn finished(
        &self,
        pack: &PackInfo,
        mut vector: Zeroizing<Vec<f32>>,
    ) -> Result<Template, PhotoError> {
        Template::new(pack, self.spec.unit, std::mem::take(&mut *vector)).map_err(|_| {
            PhotoError::Internal("the network gave numbers that are no template".into())
        })
    }

    /// The vector among a run's outputs.
    fn vector(&self, mut outputs: Vec<Vec<f32>>) -> Zeroizing<Vec<f32>> {
        let mut vector = Zeroizing::new(outputs.pop().unwrap_or_default());
        if self.spec.unit {
            normalise(&mut vector);
        }
        vector
    }
}

/// Brings a vector to length 1.
fn normalise(vector: &mut [f32]) {
    let length = vector
        .iter()
        .map(|v| v * v)
        .sum::<f32>()
        .sqrt()
        .max(f32::MIN_POSITIVE);
    vector.iter_mut().for_each(|v| *v /= length);
}
