//! Turning a picture as its camera was held.

use super::Image;

/// How the stored pixels must be turned to stand upright: the EXIF tag's values 1 to 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Orientation {
    /// Rows and columns change places (before the flips).
    transpose: bool,
    /// Left and right change places.
    flip_x: bool,
    /// Top and bottom change places.
    flip_y: bool,
}

impl Orientation {
    /// The orientation of EXIF value `value` (EXIF 2.32, tag 0x0112); others mean upright.
    pub(crate) fn from_exif(value: u16) -> Self {
        let (transpose, flip_x, flip_y) = match value {
            2 => (false, true, false),
            3 => (false, true, true),
            4 => (false, false, true),
            5 => (true, false, false),
            6 => (true, true, false),
            7 => (true, true, true),
            8 => (true, false, true),
            _ => (false, false, false),
        };
        Self {
            transpose,
            flip_x,
            flip_y,
        }
    }

    /// This turn, and then `next`.
    #[cfg(feature = "heic")]
    pub(crate) fn then(self, next: Self) -> Self {
        // Seen from the end: the next turn's flips come first; a transposition carries this turn's
        // flips over to the other axis.
        let (x, y) = if next.transpose {
            (self.flip_y, self.flip_x)
        } else {
            (self.flip_x, self.flip_y)
        };
        Self {
            transpose: self.transpose != next.transpose,
            flip_x: next.flip_x != x,
            flip_y: next.flip_y != y,
        }
    }

    /// The picture turned so that it stands upright.
    pub(crate) fn upright(self, image: Image) -> Image {
        if self == Self::default() {
            return image;
        }
        let (w, h) = (image.width(), image.height());
        let (width, height) = if self.transpose { (h, w) } else { (w, h) };
        let mut data = Vec::with_capacity(image.data().len());
        for y in 0..height {
            let v = if self.flip_y { height - 1 - y } else { y };
            for x in 0..width {
                let u = if self.flip_x { width - 1 - x } else { x };
                let at = if self.transpose { u * w + v } else { v * w + u } * 3;
                data.extend_from_slice(&image.data()[at..at + 3]);
            }
        }
        // The sizes agree, so the picture always comes back turned.
        Image::new(width, height, data).unwrap_or(image)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "heic")]
    #[test]
    fn turns_follow_each_other() {
        let image = || Image::new(2, 3, (1..=18).collect()).unwrap();
        for (one, two) in (1..=8).flat_map(|one| (1..=8).map(move |two| (one, two))) {
            let [one, two] = [one, two].map(Orientation::from_exif);
            let (at_once, in_turn) = (one.then(two).upright(image()), one.upright(image()));
            let in_turn = two.upright(in_turn);
            assert_eq!(at_once.width(), in_turn.width());
            assert_eq!(at_once.data(), in_turn.data(), "{one:?} {two:?}");
        }
    }

    /// Where the stored picture `1 2 / 3 4 / 5 6` ends up, by EXIF value.
    #[test]
    fn all_eight_orientations() {
        let expected: [(u16, usize, &[u8]); 9] = [
            (1, 2, &[1, 2, 3, 4, 5, 6]),
            (2, 2, &[2, 1, 4, 3, 6, 5]),
            (3, 2, &[6, 5, 4, 3, 2, 1]),
            (4, 2, &[5, 6, 3, 4, 1, 2]),
            (5, 3, &[1, 3, 5, 2, 4, 6]),
            (6, 3, &[5, 3, 1, 6, 4, 2]),
            (7, 3, &[6, 4, 2, 5, 3, 1]),
            (8, 3, &[2, 4, 6, 1, 3, 5]),
            (99, 2, &[1, 2, 3, 4, 5, 6]),
        ];
        for (value, width, pixels) in expected {
            let data = (1..=6).flat_map(|v| [v, v, v]).collect();
            let image = Orientation::from_exif(value).upright(Image::new(2, 3, data).unwrap());
            assert_eq!(image.width(), width, "{value}");
            let got: Vec<u8> = image.data().iter().step_by(3).copied().collect();
            assert_eq!(got, pixels, "{value}");
        }
    }
}
