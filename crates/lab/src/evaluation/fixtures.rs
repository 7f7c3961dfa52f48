//! A pack and samples that tests compute with.

use std::path::PathBuf;

use face::{PackInfo, PhotoError, Template, Thresholds};

use super::dataset::Photo;
use super::enrol::Sample;
use super::groups::Groups;

/// A pack whose thresholds are 0.6, 0.5 and 0.4.
pub(crate) fn pack() -> PackInfo {
    let thresholds = Thresholds {
        one_in_1000: 0.6,
        one_in_10000: 0.5,
        one_in_100000: 0.4,
    };
    PackInfo::new("test", "1", thresholds)
}

/// A sample of the person named before the slash, with a template of one number, or without a face.
pub(crate) fn sample(name: &str, value: Option<f32>) -> Sample {
    let person = name.split('/').next().unwrap().to_owned();
    let photo = Photo {
        person,
        name: name.to_owned(),
        path: PathBuf::new(),
    };
    let template = value.map_or(Err(PhotoError::NoFace), |v| {
        Ok(Template::new(&pack(), false, vec![v]).unwrap())
    });
    Sample { photo, template }
}

/// A table of groups.
pub(crate) fn groups(text: &str) -> Groups {
    Groups::parse(text, "groups.csv").unwrap()
}
