//! What an evaluation found.

use face::{FmrLevel, PackInfo};
use serde::Serialize;

use super::histogram::Histogram;
use super::statistics::Rate;

/// The result of an evaluation. Its JSON is a contract: fields are added, never changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// How many photos were looked at.
    pub photos: usize,
    /// How many people they show.
    pub persons: usize,
    /// Photos without a usable face (failures to acquire; the name is older than the distinction).
    pub fte: usize,
    /// Pairs of photos of one person.
    pub mated: usize,
    /// Pairs of photos of two people.
    pub non_mated: usize,
    /// The mated pair that is farthest apart.
    pub worst_mated: Option<Pair>,
    /// The non-mated pair that is nearest.
    pub best_non_mated: Option<Pair>,
    /// Error rates by threshold, ascending, photo against photo.
    pub thresholds: Vec<Rates>,
    /// The pack that was measured.
    pub pack: PackInfo,
    /// Failures to acquire: photos without a usable face.
    pub failure_to_acquire: Rate,
    /// Failures to enrol: persons none of whose photos is usable.
    pub failure_to_enrol: Rate,
    /// The photos without a usable face, and why.
    pub failures: Vec<FailedPhoto>,
    /// The comparisons, by how many photos were enrolled: 1, then 3.
    pub trials: Vec<Comparisons>,
    /// Rates within each group of persons, where there is a table of groups.
    pub groups: Vec<GroupRates>,
    /// What a reader must know before relying on the numbers; sentences.
    pub notes: Vec<String>,
}

/// The rates within one group of persons.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupRates {
    /// The column and the value that make the group, as `sex=f`.
    pub group: String,
    /// How many of its members have a usable photo.
    pub persons: usize,
    /// Its photos without a usable face.
    pub failure_to_acquire: Rate,
    /// The rates at the pack's thresholds, photo against photo, members against members.
    pub levels: Vec<LevelRates>,
}

/// A photo that gave no template.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FailedPhoto {
    /// Folder and file name.
    pub photo: String,
    /// What was wrong with it, a sentence.
    pub reason: String,
}

/// Two photos (or a reference made of several, and a photo) and the distance between their templates.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pair {
    /// Euclidean distance of the two templates.
    pub distance: f32,
    /// One photo's name, or the names of those fused, joined by ` + `.
    pub a: String,
    /// The other photo's name.
    pub b: String,
}

/// Error rates at one threshold, 0 to 1; 0 where there are no pairs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rates {
    /// The largest distance that counts as a match.
    pub threshold: f64,
    /// False match rate: non-mated pairs at or below the threshold.
    pub fmr: f64,
    /// False non-match rate: mated pairs above the threshold.
    pub fnmr: f64,
}

/// Error rates at one of the pack's thresholds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LevelRates {
    /// The false match rate that the pack says the threshold stands for.
    pub level: FmrLevel,
    /// The largest distance that counts as a match.
    pub threshold: f32,
    /// False match rate found.
    pub fmr: Rate,
    /// False non-match rate found.
    pub fnmr: Rate,
}

/// All comparisons with one number of photos per reference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparisons {
    /// Photos fused into each reference.
    pub enrolled: usize,
    /// People with enough usable photos to have a reference.
    pub persons: usize,
    /// Comparisons of a person's photo with a reference of that person that it is not part of.
    pub mated: u64,
    /// Comparisons with references of other people.
    pub non_mated: u64,
    /// The mated comparison with the largest distance.
    pub worst_mated: Option<Pair>,
    /// The non-mated comparison with the smallest distance.
    pub best_non_mated: Option<Pair>,
    /// By how much the best non-mated distance exceeds the worst mated one; negative if they overlap.
    pub gap: Option<f32>,
    /// The rate at which FMR and FNMR are equal, 0 to 1.
    pub equal_error_rate: Option<f64>,
    /// The pack's own thresholds, from lenient to strict.
    pub levels: Vec<LevelRates>,
    /// Error rates by threshold, ascending.
    pub thresholds: Vec<Rates>,
    /// Distances of the mated comparisons.
    #[serde(skip)]
    pub mated_distances: Histogram,
    /// Distances of the non-mated comparisons.
    #[serde(skip)]
    pub non_mated_distances: Histogram,
}

impl Comparisons {
    /// The error rates at every threshold where one of them changes, from strict to lenient: the
    /// points of a DET curve. Empty unless there are comparisons of both kinds.
    pub fn curve(&self) -> Vec<Rates> {
        curve(&self.mated_distances, &self.non_mated_distances)
    }
}

/// The same of any two histograms.
pub(super) fn curve(mated: &Histogram, non_mated: &Histogram) -> Vec<Rates> {
    if mated.total() == 0 || non_mated.total() == 0 {
        return Vec::new();
    }
    let (mut refused, mut passed) = (mated.total(), 0);
    let mut points = vec![Rates {
        threshold: 0.0,
        fmr: 0.0,
        fnmr: 1.0,
    }];
    for bin in 0..mated.counts().len().max(non_mated.counts().len()) {
        let at = |histogram: &Histogram| histogram.counts().get(bin).copied().unwrap_or(0);
        if at(mated) + at(non_mated) > 0 {
            refused -= at(mated);
            passed += at(non_mated);
            points.push(Rates {
                threshold: mated.edge(bin),
                fmr: passed as f64 / non_mated.total() as f64,
                fnmr: refused as f64 / mated.total() as f64,
            });
        }
    }
    points
}
