//! How good a pack is on a folder of labelled photos: error rates after ISO/IEC 19795-1.
//!
//! The folder has the layout of the LFW data set: one folder a person, photos inside. Every photo is
//! compared with every other: pairs of one person are *mated*, all others *non-mated*. Photos without
//! a usable face count as failures to enrol (FTE) and take no part in the comparisons.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::{FaceEngine, PhotoError, Template};

/// Endings of files taken for photos, lower case.
const ENDINGS: [&str; 6] = ["jpg", "jpeg", "png", "webp", "heic", "heif"];
/// Thresholds reported, in hundredths: 0.30 to 0.80.
const STEPS: std::ops::RangeInclusive<u8> = 30..=80;

/// One photo of the data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo {
    /// Whose photo it is: the folder's name.
    pub person: String,
    /// Folder and file name, e.g. `person01/03.jpg`.
    pub name: String,
    path: PathBuf,
}

/// The photos under `dir`, sorted: `dir/<person>/<photo>`. Other files and deeper folders are ignored.
///
/// # Errors
/// Whatever reading the folders gives.
pub fn photos(dir: &Path) -> std::io::Result<Vec<Photo>> {
    let mut photos = Vec::new();
    for person in std::fs::read_dir(dir)? {
        let folder = person?.path();
        let Some(person) = folder
            .file_name()
            .and_then(|n| n.to_str())
            .filter(|_| folder.is_dir())
        else {
            continue;
        };
        for file in std::fs::read_dir(&folder)? {
            let path = file?.path();
            let ending = path
                .extension()
                .and_then(|e| e.to_str())
                .map(str::to_ascii_lowercase);
            let name = path.file_name().and_then(|n| n.to_str());
            if let (Some(ending), Some(name)) = (ending, name)
                && ENDINGS.contains(&ending.as_str())
            {
                photos.push(Photo {
                    person: person.to_owned(),
                    name: format!("{person}/{name}"),
                    path: path.clone(),
                });
            }
        }
    }
    photos.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(photos)
}

/// What came of one photo.
#[derive(Debug)]
pub struct Sample {
    /// The photo.
    pub photo: Photo,
    /// Its template, or why there is none.
    pub template: Result<Template, PhotoError>,
}

/// Makes the templates, one after another; `done` is called after each with the number finished.
///
/// # Errors
/// A photo that cannot be read from disk ends the run.
pub fn enrol(
    engine: &dyn FaceEngine,
    photos: Vec<Photo>,
    mut done: impl FnMut(usize),
) -> std::io::Result<Vec<Sample>> {
    let mut samples = Vec::with_capacity(photos.len());
    for photo in photos {
        let bytes = std::fs::read(&photo.path)?;
        samples.push(Sample {
            template: engine.template(&bytes),
            photo,
        });
        done(samples.len());
    }
    Ok(samples)
}

/// The result of an evaluation. Its JSON is a contract: fields are added, never changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Photos looked at.
    pub photos: usize,
    /// People they show.
    pub persons: usize,
    /// Photos without a usable face.
    pub fte: usize,
    /// Pairs of photos of one person.
    pub mated: usize,
    /// Pairs of photos of two people.
    pub non_mated: usize,
    /// The mated pair that is farthest apart.
    pub worst_mated: Option<Pair>,
    /// The non-mated pair that is nearest.
    pub best_non_mated: Option<Pair>,
    /// Error rates by threshold, ascending.
    pub thresholds: Vec<Rates>,
}

/// Two photos and the distance between their templates.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pair {
    /// Euclidean distance.
    pub distance: f32,
    /// One photo's name.
    pub a: String,
    /// The other's.
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

/// Compares all samples with each other.
pub fn evaluate(samples: &[Sample]) -> Evaluation {
    let (mut mated, mut non_mated) = (Scores::default(), Scores::default());
    for (i, one) in samples.iter().enumerate() {
        for two in &samples[..i] {
            let (Ok(a), Ok(b)) = (&two.template, &one.template) else {
                continue;
            };
            // All templates come from one engine, so they are always comparable.
            let Ok(distance) = a.distance(b) else {
                continue;
            };
            let pair = (distance, two.photo.name.as_str(), one.photo.name.as_str());
            if one.photo.person == two.photo.person {
                mated.add(pair, |new, old| new > old);
            } else {
                non_mated.add(pair, |new, old| new < old);
            }
        }
    }
    let mut persons: Vec<_> = samples.iter().map(|s| &s.photo.person).collect();
    persons.sort();
    persons.dedup();
    Evaluation {
        photos: samples.len(),
        persons: persons.len(),
        fte: samples.iter().filter(|s| s.template.is_err()).count(),
        mated: mated.distances.len(),
        non_mated: non_mated.distances.len(),
        thresholds: STEPS
            .map(|step| rates(f64::from(step) / 100.0, &mated, &non_mated))
            .collect(),
        worst_mated: mated.extreme(),
        best_non_mated: non_mated.extreme(),
    }
}

/// Distances of one kind of pair, and the pair that stands out.
#[derive(Default)]
struct Scores<'a> {
    distances: Vec<f32>,
    extreme: Option<(f32, &'a str, &'a str)>,
}

impl<'a> Scores<'a> {
    fn add(&mut self, pair: (f32, &'a str, &'a str), stands_out: impl Fn(f32, f32) -> bool) {
        self.distances.push(pair.0);
        if self.extreme.is_none_or(|old| stands_out(pair.0, old.0)) {
            self.extreme = Some(pair);
        }
    }

    fn extreme(&self) -> Option<Pair> {
        self.extreme.map(|(distance, a, b)| Pair {
            distance,
            a: a.into(),
            b: b.into(),
        })
    }

    /// The part of the distances for which `wrong` holds.
    fn part(&self, wrong: impl Fn(f64) -> bool) -> f64 {
        let count = self
            .distances
            .iter()
            .filter(|d| wrong(f64::from(**d)))
            .count();
        count as f64 / self.distances.len().max(1) as f64
    }
}

fn rates(threshold: f64, mated: &Scores<'_>, non_mated: &Scores<'_>) -> Rates {
    Rates {
        threshold,
        fmr: non_mated.part(|d| d <= threshold),
        fnmr: mated.part(|d| d > threshold),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PackInfo, Thresholds};

    fn sample(name: &str, value: Option<f32>) -> Sample {
        let thresholds = Thresholds {
            one_in_1000: 0.6,
            one_in_10000: 0.5,
            one_in_100000: 0.4,
        };
        let pack = PackInfo::new("test", "1", thresholds);
        let person = name.split('/').next().unwrap().to_owned();
        let photo = Photo {
            person,
            name: name.to_owned(),
            path: PathBuf::new(),
        };
        let template = value.map_or(Err(PhotoError::NoFace), |v| {
            Ok(Template::new(&pack, false, vec![v]).unwrap())
        });
        Sample { photo, template }
    }

    #[test]
    fn pairs_are_counted_and_rated() {
        let samples = [
            sample("a/1.jpg", Some(0.0)),
            sample("a/2.jpg", Some(0.45)),
            sample("a/3.jpg", None),
            sample("b/1.jpg", Some(1.0)),
        ];
        let result = evaluate(&samples);
        assert_eq!((result.photos, result.persons, result.fte), (4, 2, 1));
        assert_eq!((result.mated, result.non_mated), (1, 2));
        let worst = result.worst_mated.unwrap();
        assert_eq!((worst.a.as_str(), worst.b.as_str()), ("a/1.jpg", "a/2.jpg"));
        assert_eq!(result.best_non_mated.unwrap().a, "a/2.jpg");
        let at = |t: f64| {
            *result
                .thresholds
                .iter()
                .find(|r| (r.threshold - t).abs() < 1e-9)
                .unwrap()
        };
        assert_eq!((at(0.40).fmr, at(0.40).fnmr), (0.0, 1.0));
        assert_eq!((at(0.50).fmr, at(0.50).fnmr), (0.0, 0.0));
        assert_eq!((at(0.60).fmr, at(0.60).fnmr), (0.5, 0.0));
    }

    #[test]
    fn the_json_has_the_promised_fields() {
        let json = serde_json::to_value(evaluate(&[])).unwrap();
        let fields: Vec<_> = json
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let promised = [
            "best_non_mated",
            "fte",
            "mated",
            "non_mated",
            "persons",
            "photos",
            "thresholds",
            "worst_mated",
        ];
        assert!(
            promised.iter().all(|f| fields.contains(f)) && fields.len() == promised.len(),
            "{fields:?}"
        );
        assert_eq!(json["thresholds"][20]["threshold"], 0.5);
        assert!(json["worst_mated"].is_null());
    }

    #[test]
    fn folders_are_walked_as_lfw_has_them() {
        let dir = tempfile::tempdir().unwrap();
        for file in ["b/2.JPG", "b/1.png", "a/x.jpeg", "a/notes.txt", "stray.jpg"] {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        let names: Vec<_> = photos(dir.path())
            .unwrap()
            .into_iter()
            .map(|p| p.name)
            .collect();
        assert_eq!(names, ["a/x.jpeg", "b/1.png", "b/2.JPG"]);
        assert!(photos(&dir.path().join("missing")).is_err());
    }
}
