//! 8-bit RGB pixels, resized and warped.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use zeroize::Zeroizing;

use crate::Failed;
use crate::geometry::{Point, Rect, Similarity};

/// Beyond this many source pixels per target pixel a warp shrinks first, so that it does not alias.
const SHRINK_BEFORE_WARP: f32 = 1.3;

/// A picture, three bytes a pixel (red, green, blue), row by row from the top. Wiped from memory on
/// drop.
#[derive(Clone)]
pub struct Image {
    width: usize,
    height: usize,
    data: Zeroizing<Vec<u8>>,
}

impl Image {
    /// `data` holds `width * height * 3` bytes; `None` if it does not, or if a side is 0.
    pub fn new(width: usize, height: usize, data: Vec<u8>) -> Option<Self> {
        let data = Zeroizing::new(data);
        let size = width.checked_mul(height)?.checked_mul(3)?;
        (size > 0 && size == data.len()).then_some(Self {
            width,
            height,
            data,
        })
    }

    /// A picture with the colour at each pixel that `colour` gives for its column and row.
    pub fn painted(width: usize, height: usize, colour: impl Fn(usize, usize) -> [u8; 3]) -> Self {
        let data = (0..width * height)
            .flat_map(|i| colour(i % width, i / width))
            .collect();
        Self {
            width,
            height,
            data: Zeroizing::new(data),
        }
    }

    /// Number of pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of rows of pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// `width * height * 3` bytes.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The whole picture as a box.
    pub fn frame(&self) -> Rect {
        Rect {
            x: 0.0,
            y: 0.0,
            width: self.width as f32,
            height: self.height as f32,
        }
    }

    /// This picture, or a smaller one with the same proportions whose longer side is `side`.
    pub fn shrunk_to(self, side: usize) -> Result<Self, Failed> {
        let (width, height) = fitted(self.width, self.height, side);
        if (width, height) == (self.width, self.height) {
            return Ok(self);
        }
        self.resized(self.frame(), width, height)
    }

    /// A copy of this picture whose longer side is at most `side`, with the same proportions.
    pub fn copied(&self, side: usize) -> Result<Self, Failed> {
        let (width, height) = fitted(self.width, self.height, side);
        self.resized(self.frame(), width, height)
    }

    /// The part of the picture inside `area`, drawn `width` by `height` pixels.
    pub fn resized(&self, area: Rect, width: usize, height: usize) -> Result<Self, Failed> {
        let failed = |e: &dyn std::fmt::Display| Failed(format!("resizing: {e}"));
        let mut data = vec![0; width * height * 3];
        let source =
            TypedImageRef::<U8x3>::from_buffer(self.width as u32, self.height as u32, &self.data)
                .map_err(|e| failed(&e))?;
        let mut target = TypedImage::<U8x3>::from_buffer(width as u32, height as u32, &mut data)
            .map_err(|e| failed(&e))?;
        let options = smoothly(
            area.x.into(),
            area.y.into(),
            area.width.into(),
            area.height.into(),
        );
        Resizer::new()
            .resize_typed(&source, &mut target, &options)
            .map_err(|e| failed(&e))?;
        drop(target);
        Self::new(width, height, data).ok_or_else(|| failed(&"wrong size"))
    }

    /// A square of `side` pixels whose point `p` shows what lies at `to_source.apply(p)` here.
    ///
    /// Beyond its edges the picture goes on as in a mirror: a face that overflows the frame then gets
    /// no hard edge across it, which the networks would take for a feature.
    pub fn warped(&self, to_source: Similarity, side: usize) -> Result<Self, Failed> {
        let step = to_source.scale();
        if step <= SHRINK_BEFORE_WARP {
            return Ok(self.sampled(to_source, side));
        }
        let Some(area) = self.covered(to_source, side) else {
            return Ok(self.sampled(to_source, side));
        };
        let shrink = |length: f32| ((length / step).round() as usize).max(1);
        let (width, height) = (shrink(area.width), shrink(area.height));
        let small = self.resized(area, width, height)?;
        // The shrunken part's own coordinates: shift to its corner, then scale. Both scales agree
        // but for rounding to whole pixels; their mean is off by less than half a pixel.
        let scale = (width as f32 / area.width + height as f32 / area.height) / 2.0;
        let inner = Similarity {
            a: to_source.a * scale,
            b: to_source.b * scale,
            tx: (to_source.tx - area.x) * scale,
            ty: (to_source.ty - area.y) * scale,
        };
        Ok(small.sampled(inner, side))
    }

    /// The part of this picture that a warped square covers, widened to whole pixels.
    fn covered(&self, to_source: Similarity, side: usize) -> Option<Rect> {
        let s = side as f32;
        let corners = [(0.0, 0.0), (s, 0.0), (0.0, s), (s, s)]
            .map(|(x, y)| to_source.apply(Point::new(x, y)));
        let (mut low, mut high) = (corners[0], corners[0]);
        for p in corners {
            low = Point::new(low.x.min(p.x), low.y.min(p.y));
            high = Point::new(high.x.max(p.x), high.y.max(p.y));
        }
        let margin = to_source.scale() * 2.0;
        let x = (low.x - margin).floor().max(0.0);
        let y = (low.y - margin).floor().max(0.0);
        let width = (high.x + margin).ceil().min(self.width as f32) - x;
        let height = (high.y + margin).ceil().min(self.height as f32) - y;
        (width >= 1.0 && height >= 1.0).then_some(Rect {
            x,
            y,
            width,
            height,
        })
    }

    /// Warps by bilinear samples.
    fn sampled(&self, to_source: Similarity, side: usize) -> Self {
        let mut data = Zeroizing::new(vec![0; side * side * 3]);
        for (y, row) in data.chunks_exact_mut(side * 3).enumerate() {
            for (x, pixel) in row.as_chunks_mut::<3>().0.iter_mut().enumerate() {
                let p = to_source.apply(Point::new(x as f32 + 0.5, y as f32 + 0.5));
                *pixel = self.sample(p.x - 0.5, p.y - 0.5);
            }
        }
        Self {
            width: side,
            height: side,
            data,
        }
    }

    /// The colour at a point between pixel centres: 0 is the first centre of a row or column.
    pub fn sample(&self, x: f32, y: f32) -> [u8; 3] {
        let ((x0, fx), (y0, fy)) = (split(x), split(y));
        let [[tl, tr], [bl, br]] = match self.inside(x0, y0) {
            Some(both) => both,
            None => [y0, y0 + 1].map(|y| [self.pixel(x0, y), self.pixel(x0 + 1, y)]),
        };
        std::array::from_fn(|c| {
            let top = f32::from(tl[c]) * (1.0 - fx) + f32::from(tr[c]) * fx;
            let bottom = f32::from(bl[c]) * (1.0 - fx) + f32::from(br[c]) * fx;
            (top * (1.0 - fy) + bottom * fy + 0.5) as u8
        })
    }

    /// The pixels from `(x, y)` to its neighbours right and below, if all lie in the picture.
    #[inline]
    fn inside(&self, x: i64, y: i64) -> Option<[[[u8; 3]; 2]; 2]> {
        let (x, y) = (usize::try_from(x).ok()?, usize::try_from(y).ok()?);
        if x + 1 >= self.width || y + 1 >= self.height {
            return None;
        }
        let at = (y * self.width + x) * 3;
        let pair = |at: usize| {
            let [r, g, b, right @ ..] = *self.data.get(at..)?.first_chunk::<6>()?;
            Some([[r, g, b], right])
        };
        Some([pair(at)?, pair(at + self.width * 3)?])
    }

    fn pixel(&self, x: i64, y: i64) -> [u8; 3] {
        let at = (reflected(y, self.height) * self.width + reflected(x, self.width)) * 3;
        [self.data[at], self.data[at + 1], self.data[at + 2]]
    }

    /// This picture left for right.
    pub fn mirrored(&self) -> Self {
        let mut data = self.data.clone();
        for row in data.chunks_exact_mut(self.width * 3) {
            row.as_chunks_mut::<3>().0.reverse();
        }
        Self {
            width: self.width,
            height: self.height,
            data,
        }
    }
}

/// The whole number below and the rest. `f32::floor` would be a call: what x86-64 promises has no
/// instruction for it.
#[inline]
fn split(v: f32) -> (i64, f32) {
    let whole = v as i64;
    let whole = whole - i64::from(whole as f32 > v);
    (whole, v - whole as f32)
}

/// Width and height with the same proportions whose longer side is at most `side`.
pub fn fitted(width: usize, height: usize, side: usize) -> (usize, usize) {
    let longer = width.max(height);
    if longer <= side {
        return (width, height);
    }
    let scaled = |length: usize| ((length * side + longer / 2) / longer).max(1);
    (scaled(width), scaled(height))
}

/// Resizing the part at (`x`, `y`) so that each pixel is the weighted mean of all it covers (a
/// triangle filter): nothing aliases.
pub fn smoothly(x: f64, y: f64, width: f64, height: f64) -> ResizeOptions {
    ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear))
        .crop(x, y, width, height)
}

/// The place inside `0..length` that a mirror at either end shows at `i`; far outside, an edge pixel.
fn reflected(i: i64, length: usize) -> usize {
    let last = length as i64 - 1;
    let i = if i < 0 { -1 - i } else { i };
    let i = if i > last { 2 * last + 1 - i } else { i };
    i.clamp(0, last) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Red grows with x, green with y.
    fn ramp(width: usize, height: usize) -> Image {
        let data = (0..height)
            .flat_map(|y| {
                (0..width).flat_map(move |x| [(x * 255 / width) as u8, (y * 255 / height) as u8, 7])
            })
            .collect();
        Image::new(width, height, data).unwrap()
    }

    #[test]
    fn sizes_must_agree() {
        assert!(Image::new(2, 2, vec![0; 12]).is_some());
        assert!(Image::new(2, 2, vec![0; 11]).is_none());
        assert!(Image::new(0, 2, vec![]).is_none());
    }

    #[test]
    fn shrinking_keeps_proportions_and_mean() {
        let small = ramp(400, 100).shrunk_to(100).unwrap();
        assert_eq!((small.width(), small.height()), (100, 25));
        assert!((i32::from(small.pixel(50, 12)[0]) - 128).abs() < 3);
        assert_eq!(ramp(10, 5).shrunk_to(100).unwrap().width(), 10);
        assert_eq!(ramp(300, 1).shrunk_to(10).unwrap().height(), 1);
    }

    #[test]
    fn the_identity_warp_changes_nothing() {
        let image = ramp(32, 32);
        let same = image
            .warped(
                Similarity {
                    a: 1.0,
                    b: 0.0,
                    tx: 0.0,
                    ty: 0.0,
                },
                32,
            )
            .unwrap();
        assert_eq!(image.data(), same.data());
    }

    #[test]
    fn shrinking_and_turning_hits_the_right_place() {
        // 90 degrees: the target's x runs down the source, 4 source pixels a step.
        let image = ramp(256, 256);
        let turn = Similarity {
            a: 0.0,
            b: 4.0,
            tx: 256.0,
            ty: 0.0,
        };
        let small = image.warped(turn, 64).unwrap();
        let [r, g, _] = small.pixel(16, 48);
        assert!(
            (i32::from(r) - 62).abs() < 4 && (i32::from(g) - 66).abs() < 4,
            "{r} {g}"
        );
    }

    #[test]
    fn beyond_its_edges_a_picture_is_mirrored() {
        let inside: Vec<usize> = (-3..6).map(|i| reflected(i, 3)).collect();
        assert_eq!(inside, [2, 1, 0, 0, 1, 2, 2, 1, 0]);
        assert_eq!(
            (reflected(-500, 3), reflected(500, 3), reflected(7, 1)),
            (0, 0, 0)
        );
        let image = ramp(16, 16);
        let far = Similarity {
            a: 9.0,
            b: 0.0,
            tx: 5000.0,
            ty: -1.0e9,
        };
        assert_eq!(image.warped(far, 8).unwrap().data().len(), 8 * 8 * 3);
    }

    #[test]
    fn mirroring_twice_is_nothing() {
        let image = ramp(5, 3);
        let mirrored = image.mirrored();
        assert_eq!(mirrored.pixel(0, 1), image.pixel(4, 1));
        assert_eq!(mirrored.mirrored().data(), image.data());
    }
}
