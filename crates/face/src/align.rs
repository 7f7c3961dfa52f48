//! Bringing a face into the place where its network learnt to see faces.

use sight::place::fit;
pub(crate) use sight::place::{Place, shape_to_face};

use crate::geometry::{Point, Similarity};
use crate::points::FivePoints;

/// Where the five points lie in the 112 pixels wide square of networks trained as ArcFace was.
/// Source: the reference points of InsightFace (`python-package/insightface/utils/face_align.py`); OpenCV's
/// `FaceRecognizerSF` aligns SFace on the same ones.
const ARCFACE: FivePoints = [
    Point::new(38.2946, 51.6963),
    Point::new(73.5318, 51.5014),
    Point::new(56.0252, 71.7366),
    Point::new(41.5493, 92.3655),
    Point::new(70.7299, 92.2041),
];
/// The square those points are for.
const ARCFACE_SIDE: f32 = 112.0;

/// The transform from a square of `side` pixels, with the five points where ArcFace has them, to the picture.
pub(crate) fn arcface_to_face(five: &FivePoints, side: usize) -> Option<Similarity> {
    let scale = side as f32 / ARCFACE_SIDE;
    fit(ARCFACE.map(|p| Point::new(p.x * scale, p.y * scale)), five)
}

/// The transform from a square of `side` pixels to the picture, when the face box with `padding` times
/// its own side around it fills the square.
pub(crate) fn chip_to_face(shape: Similarity, side: usize, padding: f32) -> Similarity {
    let unit = (1.0 + 2.0 * padding) / side as f32;
    let corner = shape.apply(Point::new(-padding, -padding));
    Similarity {
        a: shape.a * unit,
        b: shape.b * unit,
        tx: corner.x,
        ty: corner.y,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chip_shows_the_face_box_with_its_padding() {
        let at = Similarity {
            a: 90.0,
            b: 30.0,
            tx: 400.0,
            ty: 200.0,
        };
        let chip = chip_to_face(at, 150, 0.25);
        // The tip of the nose, in the chip and in the picture.
        let tip = Point::new(
            (0.25 + 0.490127) / 1.5 * 150.0,
            (0.25 + 0.515625) / 1.5 * 150.0,
        );
        let (got, wanted) = (chip.apply(tip), at.apply(Point::new(0.490127, 0.515625)));
        assert!((got.x - wanted.x).abs() < 0.05 && (got.y - wanted.y).abs() < 0.05);
    }

    #[test]
    fn arcface_points_land_where_its_networks_expect_them() {
        // A face twice as large, turned by a quarter: right is down.
        let five = ARCFACE.map(|p| Point::new(900.0 - 2.0 * p.y, 100.0 + 2.0 * p.x));
        for (side, scale) in [(112, 2.0), (224, 1.0)] {
            let chip = arcface_to_face(&five, side).unwrap();
            assert!((chip.scale() - scale).abs() < 1e-4 && chip.a.abs() < 1e-4);
            let nose = chip.apply(Point::new(56.0252 * 2.0 / scale, 71.7366 * 2.0 / scale));
            assert!((nose.x - five[2].x).abs() < 0.01 && (nose.y - five[2].y).abs() < 0.01);
        }
        assert!(arcface_to_face(&[Point::new(1.0, 1.0); 5], 112).is_none());
    }
}
