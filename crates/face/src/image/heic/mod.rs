//! HEIC and HEIF: photos coded with HEVC, as phones write them.
//!
//! The picture is one item, or a grid of tiles. A row of tiles is decoded at a time, turned to RGB
//! in strips and scaled down at once, so that 48 megapixels in tiles take no more memory than 12.
//! How the photo is to be turned is said by the container; the tag in its EXIF data repeats it and is
//! not read, or the photo would be turned twice.

mod layout;
mod picture;

use heifer::heifer_isobmff::HeifFile;
use zeroize::Zeroizing;

use super::orient::Orientation;
use super::pixels::over_white;
use super::rows::Rows;
use super::{Cost, Image, Limits, Photo};
use crate::PhotoError;
use layout::{Item, Layout};
use picture::{Budget, Picture};

/// Rows of the picture that are turned to RGB at a time. Even, so that halved colour is whole.
const STRIP: u32 = 64;

/// A HEIC file whose boxes were read.
pub(super) struct Heic<'a> {
    file: HeifFile<'a>,
    layout: Layout,
}

impl<'a> Photo<'a> for Heic<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, PhotoError> {
        let file = layout::parse(bytes).ok_or(PhotoError::Unsupported)?;
        let layout = Layout::read(&file, bytes.len() as u64).ok_or(PhotoError::Unsupported)?;
        Ok(Self { file, layout })
    }

    fn cost(&self, limits: &Limits) -> Cost {
        let layout = &self.layout;
        let (width, height) = (u64::from(layout.width), u64::from(layout.height));
        // One tile is decoded while the others of its row wait to be turned to RGB.
        let waiting = u64::from(layout.columns).saturating_mul(layout.tile.waiting());
        let alpha = layout
            .alpha
            .as_ref()
            .map_or(0, |_| waiting.saturating_mul(2));
        let strip = (width + 64) * (u64::from(STRIP) + 2) * 8;
        let parts = [
            layout.tile.decoding(),
            waiting,
            alpha,
            strip,
            4 * layout.longest,
            Rows::memory(width, height, limits.side, STRIP.into()),
        ];
        Cost {
            width,
            height,
            // A header may claim any size.
            memory: parts.into_iter().fold(0, u64::saturating_add),
        }
    }

    fn orientation(&self) -> Orientation {
        self.layout.orientation
    }

    fn decode(self, limits: &Limits) -> Result<Image, PhotoError> {
        let layout = &self.layout;
        let crop = &layout.crop;
        let mut rows = Rows::new(crop.width as usize, crop.height as usize, limits.side);
        let mut budget = Budget::new(limits.pixels);
        for (at, items) in layout.items.chunks(layout.columns as usize).enumerate() {
            let top = at as u32 * layout.tile.height;
            let colours = self.pictures(items, &mut budget)?;
            let alphas = match &layout.alpha {
                Some(alpha) => {
                    let from = at * layout.columns as usize;
                    self.pictures(&alpha[from..from + items.len()], &mut budget)?
                }
                None => Vec::new(),
            };
            let height = layout.tile.height.min(layout.height - top);
            for y in (0..height).step_by(STRIP as usize) {
                let count = STRIP.min(height - y);
                let mut strip = self.strip(&colours, y, count);
                alphas.iter().enumerate().for_each(|(column, alpha)| {
                    self.shine_through(&mut strip, alpha, column as u32, y, count);
                });
                self.push(&mut rows, &strip, top + y)?;
            }
        }
        rows.finish()
    }
}

impl Heic<'_> {
    fn pictures(&self, items: &[Item], budget: &mut Budget) -> Result<Vec<Picture>, PhotoError> {
        let tile = &self.layout.tile;
        items
            .iter()
            .map(|id| Picture::decode(&self.file, *id, tile, budget).ok_or(PhotoError::Unsupported))
            .collect()
    }

    /// Rows `y..y + count` of a row of tiles, RGBA, as wide as the whole picture.
    fn strip(&self, tiles: &[Picture], y: u32, count: u32) -> Zeroizing<Vec<u8>> {
        let stride = self.layout.width as usize * 4;
        let mut strip = Zeroizing::new(vec![0; stride * count as usize]);
        for (column, tile) in tiles.iter().enumerate() {
            let (from, width) = self.layout.columns_of(column as u32);
            let (from, to) = (from as usize * 4, (from + width) as usize * 4);
            let mut rows: Vec<&mut [u8]> = strip
                .chunks_exact_mut(stride)
                .map(|row| &mut row[from..to])
                .collect();
            tile.draw(y, width, &mut rows);
        }
        strip
    }

    /// Lays a strip over white by the brightness of an alpha picture's tile.
    fn shine_through(&self, strip: &mut [u8], alpha: &Picture, column: u32, y: u32, count: u32) {
        let (from, width) = self.layout.columns_of(column);
        let rows = strip.chunks_exact_mut(self.layout.width as usize * 4);
        for (row, y) in rows.zip(y..y + count) {
            let part = &mut row[from as usize * 4..(from + width) as usize * 4];
            for (pixel, alpha) in part
                .as_chunks_mut::<4>()
                .0
                .iter_mut()
                .zip(alpha.brightness(y))
            {
                for value in &mut pixel[..3] {
                    *value = over_white(*value, alpha);
                }
            }
        }
    }

    /// Hands on what of a strip lies inside the crop, as RGB.
    fn push(&self, rows: &mut Rows, strip: &[u8], top: u32) -> Result<(), PhotoError> {
        let crop = &self.layout.crop;
        let mut rgb = Zeroizing::new(Vec::with_capacity(strip.len() / 4 * 3));
        let lines = strip.chunks_exact(self.layout.width as usize * 4);
        for (line, y) in lines.zip(top..) {
            if (crop.y..crop.y + crop.height).contains(&y) {
                let pixels = &line.as_chunks::<4>().0[crop.x as usize..][..crop.width as usize];
                rgb.extend(pixels.iter().flat_map(|&[r, g, b, _]| [r, g, b]));
            }
        }
        rows.push(&rgb)
    }
}
