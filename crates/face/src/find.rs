//! Which face is meant: asks the detectors, cheap ones first, and decides.

use crate::PhotoError;
use crate::detect::{Detector, Found};
use crate::image::Image;

/// Room around the picture, in units of its longer side, so that a face that fills or overflows it is
/// found. Measured on 36 photos: without it a detector misses up to 14 of them.
const MARGIN: f32 = 0.35;
/// Below this nothing is looked at. Pictures without faces gave up to 0.37 with the cheap detector
/// and 0.13 with the strong one.
const FAINT: f32 = 0.2;
/// A face, if the other detector does not object: the weakest of 36 faces gave the cheap one 0.62.
const LIKELY: f32 = 0.5;
/// A face without asking further.
const SURE: f32 = 0.7;
/// A face, says the strong detector.
const STRONG: f32 = 0.4;
/// Without the margin pictures without faces reach 0.48 with the strong detector.
const STRONG_CLOSE: f32 = 0.6;
/// Two boxes that share this much of the smaller one are one face.
const SAME_FACE: f32 = 0.5;
/// A face whose side is below this part of the main face's is a bystander far in the background:
/// at twice the distance from the camera nobody is posing for the same photo.
const BYSTANDER: f32 = 0.5;

/// The one face of the picture.
///
/// # Errors
/// [`PhotoError::NoFace`], or [`PhotoError::SeveralFaces`] if another is nearly as large.
pub(crate) fn the_face(detectors: &[Detector], image: &Image) -> Result<Found, PhotoError> {
    only(&faces(detectors, image)?)
}

/// The faces of the picture: the first detector's if they are clear, else what the strongest says.
fn faces(detectors: &[Detector], image: &Image) -> Result<Vec<Found>, PhotoError> {
    let (Some(cheap), Some(strong)) = (detectors.first(), detectors.last()) else {
        return Err(PhotoError::Internal("the pack has no detector".into()));
    };
    let first = cheap.find(image, MARGIN, FAINT)?;
    if clear(&first) {
        return Ok(first);
    }
    let second = strong.find(image, MARGIN, STRONG)?;
    if !second.is_empty() {
        return Ok(second);
    }
    let likely: Vec<_> = first.into_iter().filter(|f| f.score >= LIKELY).collect();
    if !likely.is_empty() {
        return Ok(likely);
    }
    strong.find(image, 0.0, STRONG_CLOSE)
}

/// Whether there is one face beyond doubt and no trace of a second that would count.
fn clear(found: &[Found]) -> bool {
    found
        .first()
        .is_some_and(|best| best.score >= SURE && rivals(best, found).next().is_none())
}

/// The largest face, unless another rivals it.
fn only(found: &[Found]) -> Result<Found, PhotoError> {
    let main = found
        .iter()
        .max_by(|a, b| a.area.side().total_cmp(&b.area.side()))
        .ok_or(PhotoError::NoFace)?;
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
    use crate::geometry::Rect;

    fn face(x: f32, side: f32, score: f32) -> Found {
        Found {
            score,
            area: Rect {
                x,
                y: 0.0,
                width: side,
                height: side,
            },
        }
    }

    #[test]
    fn a_small_face_in_the_background_is_a_bystander() {
        let main = face(0.0, 100.0, 0.9);
        assert_eq!(only(&[face(200.0, 40.0, 0.95), main]), Ok(main));
        assert_eq!(
            only(&[main, face(200.0, 60.0, 0.95)]),
            Err(PhotoError::SeveralFaces)
        );
        assert_eq!(only(&[]), Err(PhotoError::NoFace));
    }

    #[test]
    fn two_boxes_on_one_face_are_one() {
        let main = face(0.0, 100.0, 0.9);
        assert_eq!(only(&[main, face(30.0, 60.0, 0.8)]), Ok(main));
    }

    #[test]
    fn a_faint_rival_makes_it_unclear() {
        assert!(clear(&[face(0.0, 100.0, 0.9)]));
        assert!(!clear(&[face(0.0, 100.0, 0.6)]));
        assert!(!clear(&[face(0.0, 100.0, 0.9), face(200.0, 80.0, 0.25)]));
        assert!(!clear(&[]));
    }
}
