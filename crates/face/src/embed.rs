//! From an aligned face to its vector.

use zeroize::Zeroizing;

use crate::align::Place;
use crate::image::Image;
use crate::net::{Net, NetError};
use crate::pack::manifest::{AlignmentSpec, EmbeddingSpec, Recognisers};
use crate::quality::Quality;
use crate::timings::Work;
use crate::{PackInfo, PhotoError, Template, align};

/// ArcFace's square holds about 1.55 times dlib's face box, nearly in its middle.
const ARCFACE_PADDING: f32 = 0.275;

/// The recognition networks of a pack, which make one template together.
pub(crate) struct Embedder {
    networks: Vec<Network>,
    unit: bool,
}

/// One recognition network and how its input is cut from the photo.
struct Network {
    net: Net,
    spec: EmbeddingSpec,
    /// What its vector of unit length is multiplied with; none if it is alone.
    weight: Option<f32>,
}

/// An aligned face, once for each network.
pub(crate) struct Chips(Vec<Image>);

impl Embedder {
    /// Loads the networks; `part` reads a file of the pack and hands its bytes on.
    pub(crate) fn load<E>(
        specs: &Recognisers,
        mut part: impl FnMut(&EmbeddingSpec, &dyn Fn(&[u8]) -> Result<Net, NetError>) -> Result<Net, E>,
    ) -> Result<Self, E> {
        let weights = specs.weights();
        let networks = specs.0.iter().zip(weights).map(|(spec, weight)| {
            let net = part(spec, &|bytes| {
                Net::load(bytes, spec.input.clone(), &[&[1, spec.dimensions]])
            })?;
            Ok(Network {
                net,
                spec: spec.clone(),
                weight: (specs.0.len() > 1).then_some(weight),
            })
        });
        Ok(Self {
            networks: networks.collect::<Result<_, E>>()?,
            unit: specs.unit(),
        })
    }

    /// The networks' runs so far.
    pub(crate) fn work(&self) -> Work {
        let works = self.networks.iter().map(|network| network.net.work());
        works.fold(Work::default(), |sum, work| Work {
            times: sum.times + work.times,
            took: sum.took + work.took,
        })
    }

    /// What a template costs, in multiplications.
    pub(crate) fn cost(&self) -> u64 {
        let of = |network: &Network| network.net.cost() * if network.spec.mirrored { 2 } else { 1 };
        self.networks.iter().map(of).sum()
    }

    /// The squares the networks look at.
    pub(crate) fn chips(&self, image: &Image, place: &Place) -> Result<Chips, PhotoError> {
        let chips = self
            .networks
            .iter()
            .map(|network| network.chip(image, place));
        Ok(Chips(chips.collect::<Result<_, _>>()?))
    }

    /// How good the face in the chips is; `side` is that of its box in the photo.
    pub(crate) fn quality(&self, chips: &Chips, side: f32) -> Result<Quality, PhotoError> {
        let first = self.networks.first().zip(chips.0.first());
        let (network, chip) =
            first.ok_or_else(|| PhotoError::Internal("the pack recognises nobody".into()))?;
        Ok(Quality::measure(chip, network.padding(), side))
    }

    /// The template of a face.
    pub(crate) fn template(&self, pack: &PackInfo, chips: &Chips) -> Result<Template, PhotoError> {
        self.joined(pack, chips, Network::vector)
    }

    /// The same from the chips alone, without their mirror images: good enough to tell that two frames
    /// of one answer show one person.
    pub(crate) fn sketch(&self, pack: &PackInfo, chips: &Chips) -> Result<Template, PhotoError> {
        self.joined(pack, chips, Network::rough)
    }

    /// The networks' vectors, one behind the other.
    fn joined(
        &self,
        pack: &PackInfo,
        chips: &Chips,
        vector: impl Fn(&Network, &Image) -> Result<Zeroizing<Vec<f32>>, PhotoError>,
    ) -> Result<Template, PhotoError> {
        let mut all = Zeroizing::new(Vec::new());
        for (network, chip) in self.networks.iter().zip(&chips.0) {
            let mut part = vector(network, chip)?;
            if let Some(weight) = network.weight {
                normalise(&mut part);
                part.iter_mut().for_each(|v| *v *= weight);
            }
            // Grown by hand: a vector that grows by itself leaves its old numbers in memory.
            let mut longer = Zeroizing::new(Vec::with_capacity(all.len() + part.len()));
            longer.extend_from_slice(&all);
            longer.extend_from_slice(&part);
            all = longer;
        }
        Template::new(pack, self.unit, std::mem::take(&mut *all)).map_err(|_| {
            PhotoError::Internal("the network gave numbers that are no template".into())
        })
    }
}

impl Network {
    /// Room around the face box in a chip, in units of the box.
    fn padding(&self) -> f32 {
        match self.spec.alignment {
            AlignmentSpec::Dlib { padding } => padding,
            AlignmentSpec::Arcface => ARCFACE_PADDING,
        }
    }

    fn chip(&self, image: &Image, place: &Place) -> Result<Image, PhotoError> {
        let side = self.net.side();
        let to_face = match self.spec.alignment {
            AlignmentSpec::Dlib { padding } => align::chip_to_face(place.shape, side, padding),
            AlignmentSpec::Arcface => align::arcface_to_face(&place.five, side)
                .ok_or_else(|| PhotoError::Internal("the landmarks fall together".into()))?,
        };
        Ok(image.warped(to_face, side)?)
    }

    /// The vector of a chip, with that of its mirror image where the pack wants it.
    fn vector(&self, chip: &Image) -> Result<Zeroizing<Vec<f32>>, PhotoError> {
        if !self.spec.mirrored {
            return self.rough(chip);
        }
        let [outputs, mirrored] = self.net.run_all([chip, &chip.mirrored()])?;
        let (mut vector, other) = (self.read(outputs), self.read(mirrored));
        for (value, mirrored) in vector.iter_mut().zip(other.iter()) {
            *value = (*value + mirrored) / 2.0;
        }
        if self.spec.unit {
            normalise(&mut vector);
        }
        Ok(vector)
    }

    /// The vector of a chip alone.
    fn rough(&self, chip: &Image) -> Result<Zeroizing<Vec<f32>>, PhotoError> {
        Ok(self.read(self.net.run(chip)?))
    }

    /// The vector among a run's outputs.
    fn read(&self, mut outputs: Vec<Vec<f32>>) -> Zeroizing<Vec<f32>> {
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
