//! One HEVC picture: looked through before it is decoded, and turned to RGB in strips.

use heifer::color::{ColorParams, frame_to_rgba_into};
use heifer::heifer_hevc_dec::decoder::{DecodeOptions, decode_picture};
use heifer::heifer_hevc_dec::nal::{NalHeader, NalUnit, NalUnitType, split_annex_b};
use heifer::heifer_hevc_dec::params::ParameterSets;
use heifer::heifer_hevc_dec::recon::Frame;
use heifer::heifer_isobmff::HeifFile;
use heifer::heifer_isobmff::boxes::{ColorInfo, Property};
use zeroize::{Zeroize, Zeroizing};

use super::layout::{Item, Tile};

/// Most units in a stream, and parameter sets among them. Phones write one slice and four sets.
const UNITS: usize = 4096;
const SETS: usize = 64;

/// Slices times pixels that the pictures of a file may still ask for. A slice may go over all of the
/// picture again, so a bomb writes thousands of them.
pub(super) struct Budget(u64);

impl Budget {
    /// Four times the pixels of the largest photo: one pass over it, or four over a quarter.
    pub(super) fn new(pixels: u64) -> Self {
        Self(pixels.saturating_mul(4))
    }

    fn spend(&mut self, work: u64) -> Option<()> {
        self.0 = self.0.checked_sub(work)?;
        Some(())
    }
}

/// A decoded picture, wiped from memory on drop.
pub(super) struct Picture {
    frame: Frame,
    colours: ColorParams,
}

impl Picture {
    /// Decodes an item, if it is what its container says: a tile of that size and colour.
    pub(super) fn decode(
        file: &HeifFile<'_>,
        id: Item,
        tile: &Tile,
        budget: &mut Budget,
    ) -> Option<Self> {
        let stream = Zeroizing::new(file.hevc_bitstream(id).ok()?);
        look_through(&stream, tile, budget)?;
        let options = DecodeOptions {
            max_pixels: tile.coded(),
            ..DecodeOptions::default()
        };
        let frame = decode_picture(&stream, options).ok()?;
        let colours = colours(file, id, &frame)?;
        let picture = Self { frame, colours };
        let (width, height) = (picture.frame.widths[0], picture.frame.heights[0]);
        (width >= tile.width && height >= tile.height).then_some(picture)
    }

    /// Draws the rows from `y` on, RGBA, the first `width` pixels of each.
    pub(super) fn draw(&self, y: u32, width: u32, rows: &mut [&mut [u8]]) {
        // Between halved rows of colour the next one counts too, so two more rows are cut out.
        let part = Self {
            frame: self.cut(y, rows.len() as u32 + 2),
            colours: self.colours,
        };
        // The library mixes in the row below only within the height it is told.
        let height = part.frame.heights[0] as usize;
        let mut spare = Zeroizing::new(vec![0; 2 * width as usize * 4]);
        let more = spare.chunks_exact_mut(width as usize * 4);
        let mut all: Vec<&mut [u8]> = rows.iter_mut().map(|row| &mut **row).chain(more).collect();
        frame_to_rgba_into(&part.frame, part.colours, &mut all, width as usize, height);
    }

    /// The brightness of row `y` in the range 0 to 255.
    pub(super) fn brightness(&self, y: u32) -> impl Iterator<Item = u8> {
        let depth = u32::from(self.frame.bit_depth[0]);
        let (from, span) = if self.colours.full_range {
            (0.0, f64::from((1_u32 << depth) - 1))
        } else {
            let unit = f64::from(1_u32 << (depth - 8));
            (16.0 * unit, 219.0 * unit)
        };
        let width = self.frame.widths[0] as usize;
        let row = &self.frame.planes[0][y as usize * width..][..width];
        row.iter()
            .map(move |v| ((f64::from(*v) - from) / span * 255.0).round() as u8)
    }

    /// The rows from `y` on, at most `count`, as a frame of their own.
    fn cut(&self, y: u32, count: u32) -> Frame {
        let whole = &self.frame;
        let mut part = Frame {
            planes: Default::default(),
            ..*whole
        };
        for plane in 0..3 {
            if whole.widths[plane] == 0 {
                continue;
            }
            // Halved colour has half the rows.
            let halved = (whole.heights[0] / whole.heights[plane].max(1)).max(1);
            let from = (y / halved).min(whole.heights[plane]);
            let rows = count.div_ceil(halved).min(whole.heights[plane] - from);
            let width = whole.widths[plane] as usize;
            part.planes[plane] =
                whole.planes[plane][from as usize * width..][..rows as usize * width].to_vec();
            part.heights[plane] = rows;
        }
        part
    }
}

impl Drop for Picture {
    fn drop(&mut self) {
        self.frame.planes.iter_mut().for_each(Zeroize::zeroize);
    }
}

/// Checks a stream against what its container says, unit by unit, without decoding a pixel.
fn look_through(stream: &[u8], tile: &Tile, budget: &mut Budget) -> Option<()> {
    let mut sets = ParameterSets::default();
    let (mut slices, mut parameters) = (0, 0);
    for (count, unit) in split_annex_b(stream).enumerate() {
        if count == UNITS {
            return None;
        }
        match NalHeader::parse(unit).ok()?.unit_type {
            kind if kind.is_slice() => slices += 1,
            NalUnitType::Vps | NalUnitType::Sps | NalUnitType::Pps => {
                parameters += 1;
                if parameters > SETS {
                    return None;
                }
                sets.add(&NalUnit::parse(unit).ok()?).ok()?;
            }
            _ => {}
        }
    }
    for set in sets.sps.iter().flatten() {
        let (width, height) = set.output_size();
        let coded = u64::from(set.pic_width_in_luma_samples)
            .checked_mul(set.pic_height_in_luma_samples.into())?;
        let fits = coded <= tile.coded() && width >= tile.width && height >= tile.height;
        if !fits || set.chroma_format_idc > tile.chroma {
            return None;
        }
    }
    budget.spend(tile.coded().checked_mul(slices)?)
}

/// How the samples are to be read: by the item's `colr` box, else by the stream itself.
fn colours(file: &HeifFile<'_>, id: Item, frame: &Frame) -> Option<ColorParams> {
    let given = file
        .item_properties(id)
        .ok()?
        .find_map(|property| match property {
            Property::Color(ColorInfo::Nclx {
                matrix, full_range, ..
            }) => Some(ColorParams {
                matrix: *matrix,
                full_range: *full_range,
            }),
            _ => None,
        });
    Some(given.unwrap_or_else(|| ColorParams::from_frame(frame)))
}
