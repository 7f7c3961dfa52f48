//! Looking again where no face was seen: closer, in better light, with the head turned upright, part by
//! part. Only pictures that would be refused come here, so the ordinary photo pays nothing.

use super::light::{self, Relit};
use crate::PhotoError;
use crate::detect::{Detector, Found, MARGIN, merged};
use crate::geometry::{Point, Rect};
use crate::image::{Image, View};
use crate::pack::manifest::Scores;

/// Tilts looked for, in degrees. Detectors still see a face that is tilted by some 20, so these reach
/// from upright to lying on either side, and last a phone held upside down.
const TILTS: [f32; 7] = [30.0, -30.0, 60.0, -60.0, 90.0, -90.0, 180.0];
/// A suspect is looked at in a square this many times its box's side.
pub(super) const NEAR: f32 = 4.0;
/// The same for tilted ones.
const NEAREST: f32 = 2.2;
/// The same for small ones in a large picture, of which there is more around: the strong detector is surest
/// of faces that fill a tenth of its view.
const FAR: f32 = 8.0;
/// Room around the picture for a face of which less than the whole is to be seen, as [`MARGIN`].
const WIDE: f32 = 0.8;
/// The same for a face that overflows the picture on all sides.
const WIDEST: f32 = 1.2;
/// Candidates looked at closer, per view: the face is among the best, if there is one.
const CANDIDATES: usize = 2;
/// The same for all parts of one size together.
const SMALL_CANDIDATES: usize = 4;
/// Widths of the parts in which a large picture is searched for small faces, in pixels: the cheap detector
/// sees well what is a fifth to a half of its view.
const PARTS: [f32; 2] = [448.0, 176.0];
/// Parts overlap by this much of their width, so that a face is whole in one of them.
const OVERLAP: f32 = 0.4;

/// What was seen in one picture so far, in whatever light and from whatever distance.
pub(super) struct Seen {
    cheap: Vec<Found>,
    strong: Vec<Found>,
}

impl Seen {
    pub(super) fn new(cheap: Vec<Found>, strong: Vec<Found>) -> Self {
        Self { cheap, strong }
    }

    /// Looks at a picture with the same places, with `margin` around it.
    fn add(
        &mut self,
        cheap: &Detector,
        strong: &Detector,
        image: &Image,
        margin: f32,
    ) -> Result<(), PhotoError> {
        let found = strong.find(image, margin, strong.scores().faint)?;
        self.strong.extend(found);
        // A pack may have one detector only, which agrees with itself.
        if !std::ptr::eq(cheap, strong) {
            let found = cheap.find(image, margin, cheap.scores().faint)?;
            self.cheap.extend(found);
        }
        Ok(())
    }

    /// The faces beyond doubt: of which the strong detector is sure, or that both detectors see in one
    /// place, one of them well. They err on different things.
    fn believed(&self, cheap: Scores, strong: Scores) -> Vec<Found> {
        let agreed = |face: &Found| {
            let least = if face.score >= strong.face {
                cheap.faint
            } else {
                cheap.face
            };
            let mut others = self.cheap.iter().filter(|other| other.score >= least);
            others.any(|other| same(&face.area, &other.area))
        };
        let believed = |face: &&Found| face.score >= strong.sure || agreed(face);
        merged(self.strong.iter().filter(believed).copied().collect())
    }
}

/// Whether boxes of two detectors, who frame faces differently, are of one face.
fn same(one: &Rect, other: &Rect) -> bool {
    let (a, b) = (one.center(), other.center());
    let smaller = one.side().min(other.side());
    (a.x - b.x).hypot(a.y - b.y) < smaller / 2.0 && smaller > one.side().max(other.side()) / 2.5
}

/// The faces that a second look finds; none if the picture has none. `seen` is what the first looks saw.
pub(super) fn look(
    cheap: &Detector,
    strong: &Detector,
    image: &Image,
    mut seen: Seen,
) -> Result<Vec<Found>, PhotoError> {
    let scores = (cheap.scores(), strong.scores());
    for margin in [0.0, WIDE, WIDEST] {
        seen.add(cheap, strong, image, margin)?;
        let found = seen.believed(scores.0, scores.1);
        if !found.is_empty() {
            return Ok(found);
        }
    }
    let relit = light::relit(image);
    for margin in [MARGIN, WIDE] {
        for other in &relit {
            seen.add(cheap, strong, &other.image, margin)?;
            let found = seen.believed(scores.0, scores.1);
            if !found.is_empty() {
                return Ok(found);
            }
        }
    }
    let found = tilted(cheap, strong, in_light(image, &relit, |other| other.better))?;
    if !found.is_empty() {
        return Ok(found);
    }
    small(cheap, strong, in_light(image, &relit, |other| other.needed))
}

/// The picture in the light that is wanted, if there is such a one.
fn in_light<'a>(
    image: &'a Image,
    relit: &'a [Relit],
    wanted: impl Fn(&Relit) -> bool,
) -> &'a Image {
    let other = relit.iter().find(|other| wanted(other));
    other.map_or(image, |other| &other.image)
}

/// Faces with the head tilted, as far as to upside down.
fn tilted(cheap: &Detector, strong: &Detector, image: &Image) -> Result<Vec<Found>, PhotoError> {
    for degrees in TILTS {
        let view = View::whole(image, MARGIN, degrees.to_radians());
        let mut suspects = cheap.look(image, view, cheap.scores().faint)?;
        suspects.truncate(CANDIDATES);
        let found = confirmed(strong, image, &suspects, NEAREST, strong.scores().sure)?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

/// Small faces, part by part of a large picture.
fn small(cheap: &Detector, strong: &Detector, image: &Image) -> Result<Vec<Found>, PhotoError> {
    for side in PARTS {
        let mut suspects = Vec::new();
        for part in parts(image, side) {
            suspects.extend(cheap.look(image, part, cheap.scores().faint / 2.0)?);
        }
        let mut suspects = merged(suspects);
        suspects.truncate(SMALL_CANDIDATES);
        let found = confirmed(strong, image, &suspects, FAR, strong.scores().sure)?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

/// Those suspects that the strong detector sees too, with at least confidence `least`, in a square `around`
/// times as wide as the suspect; as it frames them.
pub(super) fn confirmed(
    strong: &Detector,
    image: &Image,
    suspects: &[Found],
    around: f32,
    least: f32,
) -> Result<Vec<Found>, PhotoError> {
    let mut found = Vec::new();
    for suspect in suspects {
        let nearby = View {
            center: suspect.area.center(),
            side: suspect.area.side() * around,
            turn: suspect.turn,
        };
        let seen = strong.look(image, nearby, least)?;
        let there = |face: &Found| same(&face.area, &suspect.area);
        found.extend(seen.into_iter().filter(there));
    }
    Ok(merged(found))
}

/// Overlapping squares of `side` pixels that cover a large picture; none for one that the whole view shows
/// well.
fn parts(image: &Image, side: f32) -> Vec<View> {
    let (width, height) = (image.width() as f32, image.height() as f32);
    if width.max(height) <= side * 1.5 {
        return Vec::new();
    }
    let overlap = side * OVERLAP;
    let middles = |length: f32| {
        let count = ((length - overlap) / (side - overlap)).ceil().max(1.0);
        let (first, step) = if count > 1.0 {
            (side / 2.0, (length - side) / (count - 1.0))
        } else {
            (length / 2.0, 0.0)
        };
        (0..count as usize).map(move |i| first + i as f32 * step)
    };
    middles(height)
        .flat_map(|y| middles(width).map(move |x| Point::new(x, y)))
        .map(|center| View {
            center,
            side,
            turn: 0.0,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_detectors_in_doubt_about_one_place_are_believed() {
        let scores = Scores {
            faint: 0.2,
            face: 0.4,
            sure: 0.6,
        };
        let believed = |cheap: Found, strong: Found| {
            !Seen::new(vec![cheap], vec![strong])
                .believed(scores, scores)
                .is_empty()
        };
        // Cheap boxes are larger.
        assert!(believed(
            Found::at(-20.0, 140.0, 0.2),
            Found::at(0.0, 100.0, 0.4)
        ));
        assert!(believed(
            Found::at(-20.0, 140.0, 0.4),
            Found::at(0.0, 100.0, 0.2)
        ));
        assert!(!believed(
            Found::at(-20.0, 140.0, 0.3),
            Found::at(0.0, 100.0, 0.3)
        ));
        assert!(!believed(
            Found::at(90.0, 140.0, 0.5),
            Found::at(0.0, 100.0, 0.5)
        ));
        assert!(!believed(
            Found::at(0.0, 300.0, 0.5),
            Found::at(0.0, 100.0, 0.5)
        ));
        assert!(believed(
            Found::at(90.0, 140.0, 0.5),
            Found::at(0.0, 100.0, 0.6)
        ));
    }

    #[test]
    fn parts_cover_the_picture_and_overlap() {
        let picture =
            |width, height| Image::new(width, height, vec![0; width * height * 3]).unwrap();
        assert!(parts(&picture(640, 480), 448.0).is_empty());
        let parts = parts(&picture(2048, 1536), 448.0);
        assert_eq!(parts.len(), 7 * 6);
        let edges: Vec<f32> = parts.iter().map(|p| p.center.x - 224.0).collect();
        assert_eq!((edges[0], edges[6]), (0.0, 2048.0 - 448.0));
        assert!(edges[1] <= 448.0 * 0.6);
        assert_eq!(parts[41].center, Point::new(2048.0 - 224.0, 1536.0 - 224.0));
    }
}
