//! Looking again where no face was seen: closer, in better light, with the head turned upright, part by
//! part. Only pictures that would be refused come here, so the ordinary photo pays nothing.

use super::{MARGIN, light};
use crate::PhotoError;
use crate::detect::{Detector, Found, merged};
use crate::geometry::Point;
use crate::image::{Image, View};

/// Tilts looked for, in degrees. Detectors still see a face that is tilted by some 20, so these reach
/// from upright to lying on either side, and last a phone held upside down.
const TILTS: [f32; 7] = [30.0, -30.0, 60.0, -60.0, 90.0, -90.0, 180.0];
/// A candidate is looked at in a square this many times its box's side: about what detectors were
/// trained on.
const AROUND: f32 = 2.2;
/// Room around the picture for a face of which less than the whole is to be seen, as [`MARGIN`].
const WIDE: f32 = 0.8;
/// Candidates looked at closer, per view: the face is among the best, if there is one.
const CANDIDATES: usize = 2;
/// Parts of a large picture are this many pixels wide: the smallest face that can be compared is then
/// large enough for the strong detector, which sees none of it in parts of 1,024 pixels.
const PART: f32 = 640.0;
/// Parts overlap by this much, so that a face that small is whole in one of them.
const OVERLAP: f32 = 112.0;

/// The faces that a second look finds; none if the picture has none.
pub(super) fn look(
    cheap: &Detector,
    strong: &Detector,
    image: &Image,
) -> Result<Vec<Found>, PhotoError> {
    let sure = strong.scores().sure;
    for margin in [0.0, WIDE] {
        let found = strong.find(image, margin, sure)?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    let relit = light::relit(image);
    for other in &relit {
        let found = strong.find(&other.image, MARGIN, sure)?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    let better = relit.iter().find(|other| other.better);
    let image = better.map_or(image, |other| &other.image);
    for degrees in TILTS {
        let view = View::whole(image, MARGIN, degrees.to_radians());
        let found = confirmed(cheap, strong, image, view)?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    let mut found = Vec::new();
    for part in parts(image) {
        found.extend(strong.look(image, part, sure)?);
    }
    Ok(merged(found))
}

/// What the cheap detector suspects in a view and the strong one confirms from nearby.
fn confirmed(
    cheap: &Detector,
    strong: &Detector,
    image: &Image,
    view: View,
) -> Result<Vec<Found>, PhotoError> {
    let mut found = Vec::new();
    let suspects = cheap.look(image, view, cheap.scores().faint)?;
    for suspect in suspects.iter().take(CANDIDATES) {
        let nearby = View {
            center: suspect.area.center(),
            side: suspect.area.side() * AROUND,
            turn: view.turn,
        };
        found.extend(strong.look(image, nearby, strong.scores().sure)?);
    }
    Ok(merged(found))
}

/// Overlapping squares that cover a large picture; none for one that the whole view shows well.
fn parts(image: &Image) -> Vec<View> {
    let (width, height) = (image.width() as f32, image.height() as f32);
    if width.max(height) <= PART {
        return Vec::new();
    }
    let middles = |length: f32| {
        let count = ((length - OVERLAP) / (PART - OVERLAP)).ceil().max(1.0);
        let step = if count > 1.0 {
            (length - PART) / (count - 1.0)
        } else {
            0.0
        };
        let first = if count > 1.0 {
            PART / 2.0
        } else {
            length / 2.0
        };
        (0..count as usize).map(move |i| first + i as f32 * step)
    };
    middles(height)
        .flat_map(|y| middles(width).map(move |x| Point::new(x, y)))
        .map(|center| View {
            center,
            side: PART,
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
        assert!(parts(&picture(640, 480)).is_empty());
        let parts = parts(&picture(2048, 1536));
        assert_eq!(parts.len(), 12);
        let edges: Vec<f32> = parts.iter().map(|p| p.center.x - PART / 2.0).collect();
        assert_eq!((edges[0], edges[3]), (0.0, 2048.0 - PART));
        assert!(edges[1] <= PART - OVERLAP);
        assert_eq!(parts[11].center, Point::new(1728.0, 1216.0));
    }
}
