//! Which face is meant: asks the detectors, cheap ones first, and decides.

mod budget;
mod judges;
mod light;
mod second_look;

use self::budget::Budget;
pub(crate) use self::judges::Judges;
use self::second_look::{Eyes, parted};
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

/// Who looks for faces.
pub(crate) struct Search<'a> {
    /// From cheap to strong.
    pub detectors: &'a [Detector],
    /// Where the pack has them.
    pub judges: Option<Judges<'a>>,
    /// What the networks spend on a photo with a clear face, in multiplications.
    pub usual: u64,
}

impl Search<'_> {
    /// The one face of the picture.
    ///
    /// # Errors
    /// [`PhotoError::NoFace`], or [`PhotoError::SeveralFaces`] if another is nearly as large.
    pub(crate) fn the_face(&self, image: &Image) -> Result<Found, PhotoError> {
        only(&self.faces(image)?)
    }

    /// The faces of the picture: those that the first detector is sure of; where it only suspects any, those that the
    /// stronger ones see. Where nobody sees anything, the picture is looked at
    /// again in other ways, as far as the budget goes: that costs time only for pictures that would be refused
    /// otherwise.
    fn faces(&self, image: &Image) -> Result<Vec<Found>, PhotoError> {
        let (Some((cheap, stronger)), Some(strong)) =
            (self.detectors.split_first(), self.detectors.last())
        else {
            return Err(PhotoError::Internal("the pack has no detector".into()));
        };
        let first = cheap.find(image, MARGIN, cheap.scores().faint)?;
        if clear(&first, cheap.scores().sure) {
            return Ok(first);
        }
        let mut eyes = Eyes {
            cheap,
            strong,
            judges: self.judges,
            budget: Budget::new(self.usual, strong.cost(), image.width() * image.height()),
        };
        if first.is_empty() {
            let found = second_look::look(&mut eyes, image, &first)?;
            if found.is_empty() || stronger.is_empty() {
                return Ok(found);
            }
            // Who is found by looking closer may not be alone, and nobody has looked at the whole well.
            let suspects = eyes.with(strong, image, MARGIN)?;
            return with_rivals(&mut eyes, image, found, &suspects);
        }
        let mut faint = Vec::new();
        for detector in stronger {
            let seen = eyes.with(detector, image, MARGIN)?;
            let (found, less) = parted(seen, detector.scores().face);
            if !found.is_empty() {
                let suspects = [&first[..], &less].concat();
                return with_rivals(&mut eyes, image, found, &suspects);
            }
            faint = less;
        }
        let likely = |f: &Found| f.score >= cheap.scores().face;
        let found: Vec<_> = first.iter().filter(|f| likely(f)).copied().collect();
        if !found.is_empty() {
            return Ok(found);
        }
        second_look::look(&mut eyes, image, &[first, faint].concat())
    }
}

/// The faces a detector found, and those that turn out to be there where it or another only suspected them:
/// whether two people are in the picture must not depend on which detector saw whom. Only a suspect
/// large enough to be a rival is worth the look, and only where none is known yet.
fn with_rivals(
    eyes: &mut Eyes<'_>,
    image: &Image,
    mut found: Vec<Found>,
    suspects: &[Found],
) -> Result<Vec<Found>, PhotoError> {
    let Some(main) = largest(&found).copied() else {
        return Ok(found);
    };
    if rivals(&main, &found).next().is_some() {
        return Ok(found);
    }
    let apart = |f: &&Found| found.iter().all(|k| f.area.overlap(&k.area) < SAME_FACE);
    let suspects: Vec<Found> = rivals(&main, suspects).filter(apart).copied().collect();
    found.extend(eyes.confirmed(image, merged(suspects), RIVALS)?);
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
