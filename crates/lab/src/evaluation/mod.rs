//! How good a pack is on a folder of labelled photos: error rates after ISO/IEC 19795-1.
//!
//! The folder has the layout of the LFW data set: one folder a person, photos inside.
//!
//! - Every photo is one attempt to use the sensor. Photos without a usable face are *failures to
//!   acquire* (FTA); a person none of whose photos is usable is a *failure to enrol* (FTE). They take
//!   no part in the comparisons.
//! - Comparisons are made twice: photo against photo (one photo enrolled), and, as the product works,
//!   photo against the [fused](face::Template::fuse) template of three others. Pairs of one person are
//!   *mated*, all others *non-mated*; every person stands as a zero-effort impostor for every other.
//! - A *false match* is a non-mated pair at or below a threshold, a *false non-match* a mated pair above
//!   it. [`Rate`] says how uncertain each is.

mod calibrate;
mod compare;
mod dataset;
mod enrol;
#[cfg(test)]
pub(crate) mod fixtures;
mod groups;
mod histogram;
mod levels;
mod measure;
mod notes;
mod results;
mod statistics;

pub use calibrate::{Alike, Calibration, Threshold, calibrate};
pub use dataset::{DatasetError, Photo, photos};
pub use enrol::{Sample, enrol};
pub use groups::{Groups, GroupsError};
pub use histogram::Histogram;
pub use measure::{Method, evaluate};
pub use results::{Comparisons, Evaluation, FailedPhoto, GroupRates, LevelRates, Pair, Rates};
pub use statistics::Rate;
