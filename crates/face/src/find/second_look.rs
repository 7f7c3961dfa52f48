//! Looking again where no face was seen: closer, in better light, with the head turned upright, part by
//! part. Only pictures that would be refused come here, so the ordinary photo pays nothing; and the [budget](super::budget)
//! bounds what those pay. So the cheap detector does the looking, what seems likeliest is judged first, each kind of
//! look gets a fixed number of judgements, and the strong detector is asked last, if enough is left.

use super::budget::Budget;
use super::judges::Judges;
use super::light::{self, Light};
use crate::PhotoError;
use crate::detect::{Detector, Found, MARGIN, merged};
use crate::geometry::{Point, Rect};
use crate::image::{Image, View};

/// Tilts looked for, in degrees. Detectors still see a face that is tilted by some 20, so these reach
/// from upright to lying on either side, and last a phone held upside down.
const TILTS: [f32; 7] = [30.0, -30.0, 60.0, -60.0, 90.0, -90.0, 180.0];
/// Room around the picture for a face of which less than the whole is to be seen, as [`MARGIN`].
const WIDE: f32 = 0.8;
/// The same for a face that overflows the picture on all sides.
const WIDEST: f32 = 1.2;
/// Longer side of the copy on which the whole picture is looked at: more would be shrunk away for each look.
const COPY: usize = 640;
/// Suspects judged of all looks of one kind: the face is among the likeliest, if there is one.
const JUDGED: usize = 2;
/// A suspect is looked at in a square this many times its box's side where no judges are in the pack.
const NEAR: f32 = 4.0;
/// Width of the parts in which a large picture is searched for small faces, in pixels: the cheap detector
/// sees well what is a fifth to a half of its view.
const PART: f32 = 448.0;
/// Parts overlap by this much of their width, so that a face is whole in one of them.
const OVERLAP: f32 = 0.4;
/// Places in those parts that are looked at closer, the likeliest first, and how wide.
const CLOSER: usize = 16;
const CLOSER_SIDE: f32 = 176.0;
/// Score from which on a place is worth that, as a part of the detector's faintest.
const HUNCH: f32 = 0.1;

/// Who looks, and what that may still cost. A look that it does not afford sees nothing.
pub(super) struct Eyes<'a> {
    pub cheap: &'a Detector,
    pub strong: &'a Detector,
    pub judges: Option<Judges<'a>>,
    pub budget: Budget,
}

/// The faces with at least confidence `least`, and the others.
pub(super) fn parted(found: Vec<Found>, least: f32) -> (Vec<Found>, Vec<Found>) {
    found.into_iter().partition(|f| f.score >= least)
}

impl Eyes<'_> {
    /// What a judgement costs.
    fn judgement(&self) -> u64 {
        self.judges.map_or(self.strong.cost(), |j| j.cost())
    }

    /// What is kept for judging: nothing that is seen counts without.
    fn judging(&self) -> u64 {
        self.judgement() * JUDGED as u64
    }

    /// What a detector sees of the whole picture.
    pub(super) fn with(
        &mut self,
        detector: &Detector,
        image: &Image,
        margin: f32,
    ) -> Result<Vec<Found>, PhotoError> {
        if !self.budget.affords(detector.cost(), self.judgement()) {
            return Ok(Vec::new());
        }
        detector.find(image, margin, detector.scores().faint)
    }

    /// What the cheap detector sees of a part.
    fn look(&mut self, image: &Image, view: View, least: f32) -> Result<Vec<Found>, PhotoError> {
        if !self.budget.affords(self.cheap.cost(), self.judging()) {
            return Ok(Vec::new());
        }
        self.cheap.look(image, view, least)
    }

    /// Those of the first `most` suspects that are faces, as who judged them frames them.
    pub(super) fn confirmed(
        &mut self,
        image: &Image,
        suspects: Vec<Found>,
        most: usize,
    ) -> Result<Vec<Found>, PhotoError> {
        let mut found = Vec::new();
        for suspect in suspects.into_iter().take(most) {
            found.extend(self.judged(image, &suspect)?);
        }
        Ok(merged(found))
    }

    /// The face at the place of a suspect.
    fn judged(&mut self, image: &Image, suspect: &Found) -> Result<Option<Found>, PhotoError> {
        if !self.budget.affords(self.judgement(), 0) {
            return Ok(None);
        }
        let there = |face: &Found| same(&face.area, &suspect.area);
        if let Some(judges) = self.judges {
            return Ok(judges.face_at(image, suspect)?.filter(there));
        }
        let nearby = View {
            center: suspect.area.center(),
            side: suspect.area.side() * NEAR,
            turn: suspect.turn,
        };
        let seen = self.strong.look(image, nearby, self.strong.scores().sure)?;
        Ok(seen.into_iter().find(there))
    }
}

/// Whether boxes of two detectors, who frame faces differently, are of one face.
fn same(one: &Rect, other: &Rect) -> bool {
    let (a, b) = (one.center(), other.center());
    let smaller = one.side().min(other.side());
    (a.x - b.x).hypot(a.y - b.y) < smaller / 2.0 && smaller > one.side().max(other.side()) / 2.5
}

/// The faces that a second look finds; none if the picture has none. `seen` is what the first looks suspected.
pub(super) fn look(
    eyes: &mut Eyes<'_>,
    image: &Image,
    seen: &[Found],
) -> Result<Vec<Found>, PhotoError> {
    let copy = image.copied(COPY)?;
    let scale = image.width() as f32 / copy.width() as f32;
    let seen = seen.iter().map(|face| face.scaled(1.0 / scale)).collect();
    let lights = light::lights(&copy);
    let mut found = whole(eyes, &copy, &lights, seen)?;
    if found.is_empty() {
        let better = lights.iter().find(|light| light.better);
        found = match better {
            Some(light) => tilted(eyes, &light.of(&copy)?)?,
            None => tilted(eyes, &copy)?,
        };
    }
    if found.is_empty() {
        let needed = lights.iter().find(|light| light.needed);
        let small = small(eyes, image, needed)?;
        if !small.is_empty() {
            return Ok(small);
        }
        let suspects = eyes.with(eyes.strong, &copy, WIDEST)?;
        found = eyes.confirmed(&copy, suspects, 1)?;
    }
    Ok(found.iter().map(|face| face.scaled(scale)).collect())
}

/// Faces that fill or overflow the picture, or lie in bad light.
fn whole(
    eyes: &mut Eyes<'_>,
    image: &Image,
    lights: &[Light],
    seen: Vec<Found>,
) -> Result<Vec<Found>, PhotoError> {
    let mut suspects = seen;
    for margin in [0.0, WIDE, WIDEST] {
        suspects.extend(eyes.with(eyes.cheap, image, margin)?);
    }
    let found = eyes.confirmed(image, merged(suspects), JUDGED)?;
    if !found.is_empty() {
        return Ok(found);
    }
    for light in lights {
        let lit = light.of(image)?;
        let mut suspects = Vec::new();
        for margin in [MARGIN, WIDE] {
            suspects.extend(eyes.with(eyes.cheap, &lit, margin)?);
        }
        let found = eyes.confirmed(&lit, merged(suspects), 1)?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

/// Faces with the head tilted, as far as to upside down.
fn tilted(eyes: &mut Eyes<'_>, image: &Image) -> Result<Vec<Found>, PhotoError> {
    let mut suspects = Vec::new();
    for degrees in TILTS {
        let view = View::whole(image, MARGIN, degrees.to_radians());
        suspects.extend(eyes.look(image, view, eyes.cheap.scores().faint)?);
    }
    eyes.confirmed(image, merged(suspects), JUDGED)
}

/// Small faces, part by part of a large picture: the likeliest places once more from nearby.
fn small(
    eyes: &mut Eyes<'_>,
    image: &Image,
    light: Option<&Light>,
) -> Result<Vec<Found>, PhotoError> {
    let lit;
    let image = match light {
        Some(light) => {
            lit = light.of(image)?;
            &lit
        }
        None => image,
    };
    let faint = eyes.cheap.scores().faint / 2.0;
    let mut hunches = Vec::new();
    // Whoever takes a photo puts the face near its middle; the budget may not last to the corners.
    let middle = image.frame().center();
    let away = |view: &View| (view.center.x - middle.x).hypot(view.center.y - middle.y);
    let mut parts = parts(image, PART);
    parts.sort_by(|a, b| away(a).total_cmp(&away(b)));
    for part in parts {
        hunches.extend(eyes.look(image, part, faint * HUNCH)?);
    }
    let hunches = merged(hunches);
    let (clear, _) = parted(hunches.clone(), faint);
    let found = eyes.confirmed(image, clear, JUDGED)?;
    if !found.is_empty() {
        return Ok(found);
    }
    let mut suspects = Vec::new();
    for hunch in hunches.into_iter().take(CLOSER) {
        let view = View {
            center: hunch.area.center(),
            side: CLOSER_SIDE,
            turn: 0.0,
        };
        suspects.extend(eyes.look(image, view, faint)?);
    }
    eyes.confirmed(image, merged(suspects), JUDGED)
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
