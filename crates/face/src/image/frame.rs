//! Putting a picture into the middle of a network's square.

use super::Image;
use crate::PhotoError;
use crate::geometry::Rect;

/// A picture in the middle of a square, with the way back to the picture's own pixels.
pub(crate) struct Framed {
    pub image: Image,
    /// Pixels of the picture per pixel of the square.
    step: f32,
    /// Where the picture's corner lies in the square.
    left: f32,
    top: f32,
}

impl Framed {
    /// Draws all of `source` into a square of `side` pixels with at least `margin` times the
    /// picture's longer side around it on each side, black.
    pub(crate) fn new(source: &Image, side: usize, margin: f32) -> Result<Self, PhotoError> {
        let longer = source.width().max(source.height()) as f32;
        let step = longer * (1.0 + 2.0 * margin) / side as f32;
        let fit = |length: usize| ((length as f32 / step).round() as usize).clamp(1, side);
        let (width, height) = (fit(source.width()), fit(source.height()));
        let small = source.resized(source.frame(), width, height)?;
        let (left, top) = ((side - width) / 2, (side - height) / 2);
        let mut data = vec![0; side * side * 3];
        let rows = data.chunks_exact_mut(side * 3).skip(top);
        for (target, row) in rows.zip(small.data().chunks_exact(width * 3)) {
            target[left * 3..(left + width) * 3].copy_from_slice(row);
        }
        let image =
            Image::new(side, side, data).ok_or_else(|| PhotoError::Internal("framing".into()))?;
        Ok(Self {
            image,
            step,
            left: left as f32,
            top: top as f32,
        })
    }

    /// A box in the square, in units of its side, as a box in the picture's pixels.
    pub(crate) fn to_source(&self, area: Rect) -> Rect {
        let side = self.image.width() as f32;
        Rect {
            x: (area.x * side - self.left) * self.step,
            y: (area.y * side - self.top) * self.step,
            width: area.width * side * self.step,
            height: area.height * side * self.step,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_find_their_way_back() {
        let source = Image::new(300, 200, vec![255; 300 * 200 * 3]).unwrap();
        let framed = Framed::new(&source, 102, 0.35).unwrap();
        // 300 pixels become 60, so the corner lies at 21, 31.
        let square = Rect {
            x: 21.0 / 102.0,
            y: 31.0 / 102.0,
            width: 60.0 / 102.0,
            height: 40.0 / 102.0,
        };
        let back = framed.to_source(square);
        for (got, wanted) in [
            (back.x, 0.0),
            (back.y, 0.0),
            (back.width, 300.0),
            (back.height, 200.0),
        ] {
            assert!((got - wanted).abs() < 0.01, "{back:?}");
        }
        let bright = framed.image.data().iter().filter(|v| **v > 0).count();
        assert_eq!(bright, 60 * 40 * 3);
    }
}
