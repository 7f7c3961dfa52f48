//! Which face is meant: asks the detectors, cheap ones first, and decides.

mod light;
mod second_look;

use crate::PhotoError;
use crate::detect::{Detector, Found, MARGIN, merged};
use crate::image::Image;

/// Two boxes that share this much of the smaller one are one face.
const SAME_FACE: f32 = 0.5;
/// A face whose side is below this part of the main face's is a bystander far in the background:
/// at twice the distance from the camera nobody is posing for the same photo.
const BYSTANDER: f32 = 0.5;
/// Suspected rivals looked at closer: one is enough to refuse, and there may be one false suspect.
const RIVALS: usize = 2;

/// The one face of the picture.
///
/// # Errors
/// [`PhotoError::NoFace`], or [`PhotoError::SeveralFaces`] if another is nearly as large.
pub(crate) fn the_face(detectors: &[Detector], image: &Image) -> Result<Found, PhotoError> {
    only(&faces(detectors, image)?)
}

/// The faces of the picture: the first detector's if they are clear, else what the stronger ones say.
/// Where nobody sees anything, the picture is looked at again in other ways: that costs time only
/// for pictures that would be refused otherwise.
fn faces(detectors: &[Detector], image: &Image) -> Result<Vec<Found>, PhotoError> {
    let (Some((cheap, stronger)), Some(strong)) = (detectors.split_first(), detectors.last())
    else {
        return Err(PhotoError::Internal("the pack has no detector".into()));
    };
    let first = cheap.find(image, MARGIN, cheap.scores().faint)?;
    if clear(&first, cheap.scores().sure) {
        return Ok(first);
    }
    let mut faint = Vec::new();
    for detector in stronger {
        let seen = detector.find(image, MARGIN, detector.scores().faint)?;
        let (found, less) = parted(seen, detector.scores().face);
        if !found.is_empty() {
            let suspects = [&first[..], &less].concat();
            return with_rivals(detector, image, found, &suspects);
        }
        faint = less;
    }
    let likely = |f: &Found| f.score >= cheap.scores().face;
    let found: Vec<_> = first.iter().filter(|f| likely(f)).copied().collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let seen = if stronger.is_empty() {
        second_look::Seen::new(Vec::new(), first)
    } else {
        second_look::Seen::new(first, faint)
    };
    second_look::look(cheap, strong, image, seen)
}

/// The faces with at least confidence `least`, and the others.
fn parted(found: Vec<Found>, least: f32) -> (Vec<Found>, Vec<Found>) {
    found.into_iter().partition(|f| f.score >= least)
}

/// The faces a detector found, and those that it sees from nearby where it or another only suspected them:
/// whether two people are in the picture must not depend on which detector saw whom. Only a suspect
/// large enough to be a rival is worth the look.
fn with_rivals(
    detector: &Detector,
    image: &Image,
    mut found: Vec<Found>,
    suspects: &[Found],
) -> Result<Vec<Found>, PhotoError> {
    let Some(main) = largest(&found).copied() else {
        return Ok(found);
    };
    let apart = |f: &&Found| found.iter().all(|k| f.area.overlap(&k.area) < SAME_FACE);
    let rivals: Vec<Found> = rivals(&main, suspects).filter(apart).copied().collect();
    let mut rivals = merged(rivals);
    rivals.truncate(RIVALS);
    let least = detector.scores().face;
    found.extend(second_look::confirmed(
        detector,
        image,
        &rivals,
        second_look::NEAR,
        least,
    )?);
    Ok(merged(found))
}

fn largest(found: &[Found]) -> Option<&Found> {
    let side = |f: &Found| f.area.side();
    found.iter().max_by(|a, b| side(a).total_cmp(&side(b)))
}

/// Whether there is one face beyond doubt and no trace of a second that would count.
fn clear(found: &[Found], sure: f32) -> bool {
    found
        .first()
        .is_some_and(|best| best.score >= sure && rivals(best, found).next().is_none())
}

/// The largest face, unless another rivals it.
fn only(found: &[Found]) -> Result<Found, PhotoError> {
    let main = largest(found).ok_or(PhotoError::NoFace)?;
    match rivals(main, found).next() {
        Some(_) => Err(PhotoError::SeveralFaces),
        None => Ok(*main),
    }
}

/// The other faces that are too large to be bystanders.
fn rivals<'a>(main: &'a Found, found: &'a [Found]) -> impl Iterator<Item = &'a Found> {
    found
        .iter()
        .filter(|f| f.area.overlap(&main.area) < SAME_FACE)
        .filter(|f| f.area.side() >= BYSTANDER * main.area.side())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_face_in_the_background_is_a_bystander() {
        let main = Found::at(0.0, 100.0, 0.9);
        assert_eq!(only(&[Found::at(200.0, 40.0, 0.95), main]), Ok(main));
        assert_eq!(
            only(&[main, Found::at(200.0, 60.0, 0.95)]),
            Err(PhotoError::SeveralFaces)
        );
        assert_eq!(only(&[]), Err(PhotoError::NoFace));
    }

    #[test]
    fn two_boxes_on_one_face_are_one() {
        let main = Found::at(0.0, 100.0, 0.9);
        assert_eq!(only(&[main, Found::at(30.0, 60.0, 0.8)]), Ok(main));
    }

    #[test]
    fn a_faint_rival_makes_it_unclear() {
        assert!(clear(&[Found::at(0.0, 100.0, 0.9)], 0.7));
        assert!(!clear(&[Found::at(0.0, 100.0, 0.6)], 0.7));
        assert!(!clear(
            &[Found::at(0.0, 100.0, 0.9), Found::at(200.0, 80.0, 0.25)],
            0.7
        ));
        assert!(!clear(&[], 0.7));
    }
}
