//! What tells a frame that was sent before, also when it was encoded anew, cut, scaled, brightened or
//! turned in the plane.
//!
//! The face is laid upright into a square, which undoes cutting, scaling and turning, and of each small
//! field it is kept whether its neighbours are brighter, which undoes light. Two photos of one person
//! differ in far more of this than two copies of one photo do; see the test for how much.

use crate::PhotoError;
use crate::align::chip_to_face;
use crate::geometry::Similarity;
use crate::image::Image;

/// Fields along one side of the square that is summed up.
const SIDE: usize = 16;
/// Pixels a side of a field.
const FIELD: usize = 4;
/// What lies around the face, in units of its side: hair and collar move apart from it.
const PADDING: f32 = 0.05;
/// Bytes: for each field, is the one to its right brighter, is the one below.
const BYTES: usize = SIDE * SIDE * 2 / 8;
/// Most bits in which two copies of one frame differ; `tests/it/fingerprint.rs` measures how far copies and
/// other photos are from it.
const COPY: u32 = 56;

/// A coarse picture of the face in one frame. It shows little, but more than nothing: seal it at rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; BYTES]);

impl Fingerprint {
    /// Of the face that lies at `shape` in a picture.
    pub(crate) fn of(image: &Image, shape: Similarity) -> Result<Self, PhotoError> {
        let side = (SIDE + 1) * FIELD;
        let square = image.warped(chip_to_face(shape, side, PADDING), side)?;
        let mut fields = [[0_u32; SIDE + 1]; SIDE + 1];
        for (at, pixel) in square.data().as_chunks::<3>().0.iter().enumerate() {
            let [r, g, b] = pixel.map(u32::from);
            // Rec. 601 luma in thousandths.
            fields[at / side / FIELD][at % side / FIELD] += 299 * r + 587 * g + 114 * b;
        }
        let mut bytes = [0; BYTES];
        let mut bits = 0;
        for y in 0..SIDE {
            for x in 0..SIDE {
                for neighbour in [fields[y][x + 1], fields[y + 1][x]] {
                    if neighbour > fields[y][x] {
                        bytes[bits / 8] |= 1 << (bits % 8);
                    }
                    bits += 1;
                }
            }
        }
        Ok(Self(bytes))
    }

    /// From the bytes that [`as_bytes`](Self::as_bytes) gave; `None` for any other number of them.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The 512 bits as 64 bytes, as they are stored.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; BYTES] {
        &self.0
    }

    /// Whether both are so like each other that they come from one frame.
    #[must_use]
    pub fn is_copy_of(&self, other: &Self) -> bool {
        self.differing(other) <= COPY
    }

    /// In how many of 512 bits they differ.
    #[must_use]
    pub fn differing(&self, other: &Self) -> u32 {
        let pairs = self.0.iter().zip(&other.0);
        pairs.map(|(a, b)| (a ^ b).count_ones()).sum()
    }
}
