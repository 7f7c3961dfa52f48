//! What a HEIC file's boxes say: which items make the picture, how large, how turned.

use heifer::heifer_isobmff::boxes::{ConstructionMethod, Property};

use heifer::heifer_isobmff::{BoxIter, HeifFile, ItemId};

use crate::image::orient::Orientation;

pub(super) type Item = ItemId;

/// Largest `meta` box, bytes. Phones write 5 kB; the library makes lists of its entries and looks
/// through all of them for each item, so their number is bounded before it does.
const META: usize = 256 << 10;
/// Most tiles: 50 megapixels in tiles of 256 pixels are about 800.
const TILES: usize = 1024;
/// Bytes of coded pictures a file may ask for, in times its own length: tiles may share their bytes,
/// and a bomb lets all of them share a large part of the file.
const SHARED: u64 = 2;
/// The two names of an alpha plane (ISO/IEC 23008-12).
const ALPHA: [&str; 2] = [
    "urn:mpeg:hevc:2015:auxid:1",
    "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha",
];

/// Parses the boxes, if there are not too many.
pub(super) fn parse(bytes: &[u8]) -> Option<HeifFile<'_>> {
    for found in BoxIter::new(bytes) {
        let found = found.ok()?;
        if found.header.box_type.0 == *b"meta" && found.content.len() > META {
            return None;
        }
    }
    HeifFile::parse(bytes).ok()
}

/// The picture as its boxes describe it.
#[derive(Debug)]
pub(super) struct Layout {
    /// Of the stored picture, in pixels.
    pub width: u32,
    pub height: u32,
    /// Tiles from left to right, from the top; one if there is no grid.
    pub items: Vec<Item>,
    pub columns: u32,
    pub tile: Tile,
    /// The tiles of an alpha plane with the same layout.
    pub alpha: Option<Vec<Item>>,
    /// Bytes of the longest coded picture.
    pub longest: u64,
    /// The part that is to be seen.
    pub crop: Crop,
    /// How it is to be turned after that.
    pub orientation: Orientation,
}

/// A part of a picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Crop {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

/// What all tiles have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tile {
    pub width: u32,
    pub height: u32,
    /// Colour of the HEVC stream: 0 none, 1 halved both ways, 2 halved across, 3 whole.
    pub chroma: u8,
}

impl Tile {
    /// Most pixels that the coded picture may have: it is filled up to whole blocks of up to 64.
    pub(super) fn coded(&self) -> u64 {
        // A header may claim any size.
        (u64::from(self.width) + 64).saturating_mul(u64::from(self.height) + 64)
    }

    /// Bytes of a decoded tile: 16 bits a sample.
    pub(super) fn waiting(&self) -> u64 {
        let bytes = [2, 3, 4, 6][usize::from(self.chroma.min(3))];
        self.coded().saturating_mul(bytes)
    }

    /// Bytes that decoding takes beside the tile: a copy without the filling or of one plane for the
    /// filters, whichever is more, and what is known of each block of 4 by 4.
    pub(super) fn decoding(&self) -> u64 {
        let copy = self.waiting().max(self.coded().saturating_mul(3));
        copy.saturating_add(self.coded().saturating_mul(2))
    }
}

impl Layout {
    /// Reads the primary item of a file of `length` bytes. `None` for what cannot be decoded: other
    /// codecs, overlays, missing or cut off parts.
    pub(super) fn read(file: &HeifFile<'_>, length: u64) -> Option<Self> {
        let id = file.primary_id;
        let plane = Plane::read(file, id)?;
        let (alpha, orientation) = (alpha(file, id)?, orientation(file, id)?);
        let alpha = match alpha.map(|id| Plane::read(file, id)) {
            // An alpha plane in other tiles would have to be decoded whole: nobody writes that.
            Some(Some(alpha)) if plane.is_laid_out_like(&alpha) => Some(alpha.items),
            Some(_) => return None,
            None => None,
        };
        let all = plane.items.iter().chain(alpha.iter().flatten());
        let lengths: Option<Vec<u64>> = all.map(|id| coded_bytes(file, *id, length)).collect();
        let lengths = lengths?;
        if lengths.iter().sum::<u64>() > SHARED * length {
            return None;
        }
        Some(Self {
            width: plane.width,
            height: plane.height,
            crop: crop(file, id, plane.width, plane.height)?,
            items: plane.items,
            columns: plane.columns,
            tile: plane.tile,
            alpha,
            longest: lengths.into_iter().max()?,
            orientation,
        })
    }

    /// Where a column of tiles begins in the picture, and how many of its pixels belong to it.
    pub(super) fn columns_of(&self, column: u32) -> (u32, u32) {
        let from = column * self.tile.width;
        (from, self.tile.width.min(self.width - from))
    }
}

/// One item that is a picture, coded whole or in tiles.
struct Plane {
    width: u32,
    height: u32,
    items: Vec<Item>,
    columns: u32,
    tile: Tile,
}

impl Plane {
    fn read(file: &HeifFile<'_>, id: Item) -> Option<Self> {
        match &file.item(id).ok()?.item_type.0 {
            b"hvc1" => {
                let tile = tile(file, id)?;
                Some(Self {
                    width: tile.width,
                    height: tile.height,
                    items: vec![id],
                    columns: 1,
                    tile,
                })
            }
            b"grid" => Self::grid(file, id),
            _ => None,
        }
    }

    fn grid(file: &HeifFile<'_>, id: Item) -> Option<Self> {
        let grid = file.grid(id).ok()?;
        let items = file.referenced_items(id, b"dimg");
        let (rows, columns) = (u32::from(grid.rows), u32::from(grid.columns));
        if items.len() != rows as usize * columns as usize || items.len() > TILES {
            return None;
        }
        let tile = tile(file, *items.first()?)?;
        let (width, height) = (grid.output_width, grid.output_height);
        // Tiles cover the picture, and none lies wholly outside.
        let covers = |tile: u32, count: u32, length: u32| {
            let (tile, count, length) = (u64::from(tile), u64::from(count), u64::from(length));
            (tile * (count - 1)..=tile * count).contains(&length) && length > tile * (count - 1)
        };
        let same = |id: &Item| is_plain(file, *id) && self::tile(file, *id) == Some(tile);
        (covers(tile.width, columns, width)
            && covers(tile.height, rows, height)
            && items.iter().all(same))
        .then(|| Self {
            width,
            height,
            items: items.to_vec(),
            columns,
            tile,
        })
    }

    fn is_laid_out_like(&self, other: &Self) -> bool {
        let layout = |p: &Self| (p.width, p.height, p.columns, p.tile.width, p.tile.height);
        layout(self) == layout(other)
    }
}

/// Size and colour of a coded item.
fn tile(file: &HeifFile<'_>, id: Item) -> Option<Tile> {
    let (width, height) = file.image_size(id).ok()??;
    let chroma = file.hevc_config(id).ok()??.chroma_format;
    let is_coded = file.item(id).ok()?.item_type.0 == *b"hvc1";
    (is_coded && width > 0 && height > 0).then_some(Tile {
        width,
        height,
        chroma,
    })
}

/// Whether an item is neither cut nor turned by itself.
fn is_plain(file: &HeifFile<'_>, id: Item) -> bool {
    file.item_properties(id).is_ok_and(|mut all| {
        !all.any(|p| {
            matches!(
                p,
                Property::CleanAperture { .. } | Property::Rotation(1..) | Property::Mirror(_)
            )
        })
    })
}

/// The item with the alpha plane of `id`, if it has one.
fn alpha(file: &HeifFile<'_>, id: Item) -> Option<Option<Item>> {
    for helper in file.referencing_items(id, b"auxl") {
        let mut properties = file.item_properties(helper).ok()?;
        if properties
            .any(|p| matches!(p, Property::AuxiliaryType(t) if ALPHA.contains(&t.as_str())))
        {
            return Some(Some(helper));
        }
    }
    Some(None)
}

/// Rotations (quarters, against the clock) and mirrors, in their order.
fn orientation(file: &HeifFile<'_>, id: Item) -> Option<Orientation> {
    let properties = file.item_properties(id).ok()?;
    let turns = properties.filter_map(|property| match property {
        Property::Rotation(quarters) => Some([1, 8, 3, 6][usize::from(quarters % 4)]),
        Property::Mirror(top_and_bottom) => Some(if *top_and_bottom { 4 } else { 2 }),
        _ => None,
    });
    Some(turns.fold(Orientation::default(), |all, turn| {
        all.then(Orientation::from_exif(turn))
    }))
}

/// The clean aperture (ISO/IEC 14496-12, 12.1.4), which must come before the turns.
fn crop(file: &HeifFile<'_>, id: Item, width: u32, height: u32) -> Option<Crop> {
    let mut crop = Crop {
        x: 0,
        y: 0,
        width,
        height,
    };
    let (mut cut, mut turned) = (false, false);
    for property in file.item_properties(id).ok()? {
        match property {
            Property::Rotation(1..) | Property::Mirror(_) => turned = true,
            Property::CleanAperture { .. } if cut || turned => return None,
            Property::CleanAperture {
                width: w,
                height: h,
                horiz_offset,
                vert_offset,
            } => {
                (crop.x, crop.width) = aperture(width, *w, *horiz_offset)?;
                (crop.y, crop.height) = aperture(height, *h, *vert_offset)?;
                cut = true;
            }
            _ => {}
        }
    }
    Some(crop)
}

/// Where an aperture begins along one axis, and its length: fractions of pixels around the middle.
fn aperture(length: u32, size: (u32, u32), offset: (i32, u32)) -> Option<(u32, u32)> {
    if size.1 == 0 || offset.1 == 0 {
        return None;
    }
    let size = f64::from(size.0) / f64::from(size.1);
    let middle = f64::from(offset.0) / f64::from(offset.1) + (f64::from(length) - 1.0) / 2.0;
    let from = (middle - (size - 1.0) / 2.0).round();
    let (from, size) = (from.max(0.0) as u32, size.round() as u32);
    let size = size.min(length.checked_sub(from)?);
    (size > 0).then_some((from, size))
}

/// Bytes of a coded item with its parameter sets; `None` if it lies outside the file or is put
/// together from other items.
fn coded_bytes(file: &HeifFile<'_>, id: Item, length: u64) -> Option<u64> {
    let location = file.item(id).ok()?.location.as_ref()?;
    if location.construction_method == ConstructionMethod::Item {
        return None;
    }
    let mut sum = 0_u64;
    for extent in &location.extents {
        // A length of 0 stands for all that follows.
        let end = extent.offset.checked_add(extent.length)?;
        if end > length {
            return None;
        }
        sum = sum.checked_add(match extent.length {
            0 => length,
            given => given,
        })?;
    }
    let sets = file.hevc_config(id).ok()??.nal_units.iter();
    Some(sum + sets.map(|set| 4 + set.len() as u64).sum::<u64>())
}
