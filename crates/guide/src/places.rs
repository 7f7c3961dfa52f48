//! Where a face is looked for that was nowhere a moment ago.

use sight::Image;
use sight::geometry::{Point, Similarity};

/// Middle of a face in dlib's mean shape.
const MIDDLE: Point = Point::new(0.49, 0.45);
/// Middle of each face looked for, in parts of the picture's width and height, and its side in parts of the width: first as the
/// oval asks for it, then smaller, larger, and aside.
const PLACES: [[f32; 3]; 8] = [
    [0.5, 0.45, 0.5],
    [0.5, 0.45, 0.36],
    [0.5, 0.5, 0.68],
    [0.36, 0.42, 0.36],
    [0.64, 0.42, 0.36],
    [0.5, 0.32, 0.36],
    [0.5, 0.62, 0.42],
    [0.5, 0.4, 0.24],
];

/// Goes over the places, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Places(usize);

impl Places {
    /// The next place: from dlib's mean shape to the picture.
    pub(crate) fn next(&mut self, picture: &Image) -> Similarity {
        let [x, y, side] = PLACES[self.0 % PLACES.len()];
        self.0 = self.0.wrapping_add(1);
        let (width, height) = (picture.width() as f32, picture.height() as f32);
        let scale = side * width;
        Similarity {
            a: scale,
            b: 0.0,
            tx: x * width - MIDDLE.x * scale,
            ty: y * height - MIDDLE.y * scale,
        }
    }

    /// Begins with the oval again.
    pub(crate) fn restart(&mut self) {
        self.0 = 0;
    }
}
