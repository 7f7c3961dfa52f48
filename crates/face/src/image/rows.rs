//! A picture that comes row by row and is kept only in the size that is wanted.

use fast_image_resize::images::{Image as Canvas, ImageRef};
use fast_image_resize::{PixelType, Resizer};
use zeroize::{Zeroize, Zeroizing};

use super::Image;
use super::pixels::{fitted, smoothly};
use crate::PhotoError;

/// Rows of the small picture that are made at once.
const BATCH: usize = 32;

/// Takes RGB rows from top to bottom and gives the picture, scaled so that its longer side is at
/// most the one that is wanted.
///
/// The result is that of [`Image::shrunk_to`] on the whole picture, to a bit of rounding; but only
/// the rows that the next batch is made of are in memory.
pub(super) struct Rows {
    width: usize,
    height: usize,
    target: (usize, usize),
    /// Rows of the source that are still needed, and the number of the first of them.
    window: Zeroizing<Vec<u8>>,
    first: usize,
    /// Rows that have come.
    seen: usize,
    /// Rows of the small picture that are done.
    data: Zeroizing<Vec<u8>>,
    resizer: Resizer,
}

impl Rows {
    /// Nothing yet of a picture of `width` times `height` pixels, at most `side` of which are wanted
    /// along its longer side.
    pub(super) fn new(width: usize, height: usize, side: usize) -> Self {
        let target = fitted(width, height, side);
        Self {
            width,
            height,
            target,
            window: Zeroizing::new(Vec::new()),
            first: 0,
            seen: 0,
            data: Zeroizing::new(Vec::with_capacity(target.0 * target.1 * 3)),
            resizer: Resizer::new(),
        }
    }

    /// Bytes that [`Rows`] take at the highest while rows come in `chunk` at a time.
    pub(super) fn memory(width: u64, height: u64, side: usize, chunk: u64) -> u64 {
        let longer = width.max(height).max(1);
        let side = (side as u64).min(longer);
        let (target_w, target_h) = (
            (width * side).div_ceil(longer).max(1),
            (height * side).div_ceil(longer).max(1),
        );
        if side == longer {
            return target_w.saturating_mul(target_h).saturating_mul(3);
        }
        // The window grows by doubling while it is filled; the resizer keeps its rows at the
        // target's width.
        let rows = ((BATCH as u64 + 4) * longer.div_ceil(side) + chunk).min(height);
        // A header may claim any size: what does not fit a number does not fit the ceiling either.
        let window = rows.saturating_mul(3 * (2 * width + target_w));
        let rest = target_w * target_h * 3 + target_w * BATCH as u64 * 3;
        window.saturating_add(rest)
    }

    /// Takes the next rows; those beyond the picture's height are ignored.
    pub(super) fn push(&mut self, rows: &[u8]) -> Result<(), PhotoError> {
        let stride = self.width * 3;
        let count = (rows.len() / stride).min(self.height - self.seen);
        let rows = &rows[..count * stride];
        self.seen += count;
        if self.target == (self.width, self.height) {
            self.data.extend_from_slice(rows);
            return Ok(());
        }
        self.make_room(rows.len());
        self.window.extend_from_slice(rows);
        while let Some(batch) = self.ready() {
            self.shrink(batch)?;
        }
        Ok(())
    }

    /// The picture.
    ///
    /// # Errors
    /// [`PhotoError::Unsupported`] when rows are missing.
    pub(super) fn finish(mut self) -> Result<Image, PhotoError> {
        let (width, height) = self.target;
        Image::new(width, height, std::mem::take(&mut *self.data)).ok_or(PhotoError::Unsupported)
    }

    /// Grows the window without leaving a copy of its content behind.
    fn make_room(&mut self, more: usize) {
        let need = self.window.len() + more;
        if need > self.window.capacity() {
            let mut larger = Vec::with_capacity(need.max(self.window.capacity() * 2));
            larger.extend_from_slice(&self.window);
            self.window = Zeroizing::new(larger);
        }
    }

    /// Rows of the source per row of the small picture.
    fn step(&self) -> f64 {
        self.height as f64 / self.target.1 as f64
    }

    /// The next batch, if all rows it is made of are here: rows `from..to` of the small picture.
    fn ready(&self) -> Option<(usize, usize)> {
        let from = self.data.len() / (self.target.0 * 3);
        let to = (from + BATCH).min(self.target.1);
        // A triangle filter reaches one step to both sides of a row's middle.
        let last = ((to as f64 + 0.5) * self.step()).ceil() as usize + 1;
        (from < to && self.seen >= last.min(self.height)).then_some((from, to))
    }

    fn shrink(&mut self, (from, to): (usize, usize)) -> Result<(), PhotoError> {
        let failed = |e: &dyn std::fmt::Display| PhotoError::Internal(format!("resizing: {e}"));
        let (step, count) = (self.step(), self.window.len() / (self.width * 3));
        let source = ImageRef::new(
            self.width as u32,
            count as u32,
            &self.window,
            PixelType::U8x3,
        )
        .map_err(|e| failed(&e))?;
        let mut small = Canvas::new(self.target.0 as u32, (to - from) as u32, PixelType::U8x3);
        // Rounding must not put the last edge a hair beyond the last row.
        let top = (from as f64 * step - self.first as f64).max(0.0);
        let height = ((to - from) as f64 * step).min(count as f64 - top);
        self.resizer
            .resize(
                &source,
                &mut small,
                &smoothly(0.0, top, self.width as f64, height),
            )
            .map_err(|e| failed(&e))?;
        self.data.extend_from_slice(small.buffer());
        small.buffer_mut().zeroize();
        let needed = ((to as f64 - 0.5) * step).floor().max(1.0) as usize - 1;
        let gone = needed.saturating_sub(self.first).min(count);
        self.first += gone;
        self.window.drain(..gone * self.width * 3);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(width: usize, height: usize) -> Vec<u8> {
        (0..width * height * 3)
            .map(|i| ((i as u32).wrapping_mul(2_654_435_761) >> 19) as u8)
            .collect()
    }

    /// Row by row gives what the whole picture gives.
    #[test]
    fn rows_shrink_like_whole_pictures() {
        for (width, height, side, chunk) in [
            (300, 200, 100, 1),
            (301, 457, 64, 7),
            (97, 1000, 333, 64),
            (640, 480, 639, 50),
            (1000, 3, 10, 3),
            (64, 48, 64, 5),
        ] {
            let data = noise(width, height);
            let mut rows = Rows::new(width, height, side);
            for part in data.chunks(width * 3 * chunk) {
                rows.push(part).unwrap();
            }
            let small = rows.finish().unwrap();
            let whole = Image::new(width, height, data).unwrap();
            let whole = whole.shrunk_to(side).unwrap();
            assert_eq!(
                (small.width(), small.height()),
                (whole.width(), whole.height())
            );
            let worst = small.data().iter().zip(whole.data());
            let worst = worst.map(|(a, b)| a.abs_diff(*b)).max().unwrap();
            assert!(worst <= 1, "{width}x{height} to {side}: {worst}");
        }
    }

    #[test]
    fn missing_rows_are_no_picture_and_more_are_ignored() {
        let mut rows = Rows::new(40, 40, 20);
        rows.push(&noise(40, 39)).unwrap();
        assert_eq!(rows.finish().err(), Some(PhotoError::Unsupported));
        let mut rows = Rows::new(40, 40, 20);
        rows.push(&noise(40, 60)).unwrap();
        assert_eq!(rows.finish().unwrap().height(), 20);
    }

    #[test]
    fn only_a_window_is_kept() {
        let mut rows = Rows::new(800, 8000, 400);
        let row = noise(800, 1);
        for _ in 0..8000 {
            rows.push(&row).unwrap();
            let kept = (rows.window.capacity() + rows.data.capacity()) as u64;
            assert!(kept <= Rows::memory(800, 8000, 400, 1), "{kept}");
        }
        assert_eq!(rows.finish().unwrap().height(), 400);
    }
}
