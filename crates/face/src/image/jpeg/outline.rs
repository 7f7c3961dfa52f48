//! What a JPEG file's markers say, read without decoding a pixel.

use crate::image::exif;
use crate::image::orient::Orientation;

/// What begins an EXIF segment.
const EXIF: &[u8] = b"Exif\0\0";

/// What the markers say.
#[derive(Debug, PartialEq)]
pub(super) struct Outline {
    pub width: u64,
    pub height: u64,
    /// Gray, YCbCr or RGB, CMYK: 1, 3 or 4.
    pub components: u8,
    /// Samples of all components, in whole units of coding.
    pub samples: u64,
    /// Passes over the picture.
    pub scans: u64,
    pub progressive: bool,
    /// Whether brightness has fewer samples than a colour.
    pub coarse_luma: bool,
    /// Whether the end is marked. Some cameras and programs leave the mark out.
    pub ended: bool,
    pub orientation: Orientation,
    /// Of each component: its name, and how many bits of each coefficient are still to come.
    missing: Vec<(u8, [u8; 64])>,
}

/// Bits to come of a coefficient that no scan has told anything of.
const ALL_BITS: u8 = 16;

impl Outline {
    /// Walks the markers from start to end; `None` if they make no complete picture. Where the end is not
    /// marked, the scans must have told every bit of every coefficient; whether the last of them is whole
    /// only decoding tells.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(&[0xFF, 0xD8])?;
        let mut frame: Option<Self> = None;
        // The first segment that names one: programs add empty ones behind.
        let mut orientation = None;
        let mut ended = true;
        loop {
            let marker;
            (marker, rest) = match next_marker(rest) {
                Some(next) => next,
                None if frame.as_ref().is_some_and(Self::complete) => {
                    ended = false;
                    break;
                }
                None => return None,
            };
            match marker {
                0xD9 => break,
                0x01 | 0xD0..=0xD8 => continue,
                _ => {}
            }
            let segment;
            (segment, rest) = split_segment(rest)?;
            match marker {
                0xE1 => {
                    if let Some(tiff) = segment.strip_prefix(EXIF) {
                        orientation = orientation.or_else(|| exif::orientation_in(tiff));
                    }
                }
                0xC0..=0xC2 if frame.is_none() => frame = Some(Self::frame(marker, segment)?),
                // A second frame, or one of the kinds nobody uses: lossless, arithmetic, hierarchical.
                0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => return None,
                0xDA => frame.as_mut()?.scan(segment),
                _ => {}
            }
        }
        frame.filter(|f| f.scans > 0).map(|f| Self {
            orientation: orientation.unwrap_or_default(),
            ended,
            ..f
        })
    }

    /// Notes a scan: its components, which coefficients, and how many bits it leaves to later ones.
    fn scan(&mut self, segment: &[u8]) {
        self.scans += 1;
        let Some((&count, rest)) = segment.split_first() else {
            return;
        };
        let (names, spectrum) = rest
            .as_chunks::<2>()
            .0
            .split_at(usize::from(count).min(rest.len() / 2));
        let spectrum = spectrum.as_flattened();
        let end = &rest[(rest.len() / 2) * 2..];
        let [from, to, bits] = match (spectrum, end) {
            _ if !self.progressive => [0, 63, 0],
            (&[from, to], &[bits]) => [from, to, bits & 15],
            _ => return,
        };
        for (name, missing) in &mut self.missing {
            if names.iter().any(|[scanned, _]| scanned == name) {
                let range = usize::from(from)..=usize::from(to.min(63));
                missing
                    .get_mut(range)
                    .into_iter()
                    .flatten()
                    .for_each(|m| *m = bits);
            }
        }
    }

    /// Whether the scans so far tell all of the picture.
    fn complete(&self) -> bool {
        let bits = self.missing.iter().flat_map(|(_, missing)| missing);
        bits.copied().max() == Some(0)
    }

    /// Reads a frame header: precision, height, width, then id, sampling and table per component.
    fn frame(marker: u8, segment: &[u8]) -> Option<Self> {
        let (&[precision, h1, h0, w1, w0, count], components) = segment.split_first_chunk()?;
        let known = precision == 8 && matches!(count, 1 | 3 | 4);
        if !known || components.len() != usize::from(count) * 3 {
            return None;
        }
        let sampling = components
            .as_chunks::<3>()
            .0
            .iter()
            .map(|[_, s, _]| (u64::from(s >> 4), u64::from(s & 15)));
        let (mut across, mut down, mut blocks) = (1, 1, 0);
        let mut luma = None;
        for (h, v) in sampling {
            luma = luma.or(Some((h, v)));
            if !(1..=4).contains(&h) || !(1..=4).contains(&v) {
                return None;
            }
            (across, down, blocks) = (across.max(h), down.max(v), blocks + h * v);
        }
        let width = u64::from(u16::from_be_bytes([w1, w0]));
        let height = u64::from(u16::from_be_bytes([h1, h0]));
        let units = width.div_ceil(8 * across) * height.div_ceil(8 * down);
        Some(Self {
            width,
            height,
            components: count,
            samples: units * blocks * 64,
            scans: 0,
            progressive: marker == 0xC2,
            coarse_luma: luma.is_some_and(|(h, v)| h < across || v < down),
            ended: true,
            missing: components
                .as_chunks::<3>()
                .0
                .iter()
                .map(|[name, ..]| (*name, [ALL_BITS; 64]))
                .collect(),
            orientation: Orientation::default(),
        })
    }
}

/// Skips to the next marker: its code and what follows. Stuffed zeros and restarts belong to the data.
fn next_marker(mut bytes: &[u8]) -> Option<(u8, &[u8])> {
    loop {
        let at = bytes.iter().position(|b| *b == 0xFF)?;
        let (&code, rest) = bytes.get(at + 1..)?.split_first()?;
        match code {
            0x00 | 0xD0..=0xD7 => bytes = rest,
            0xFF => bytes = &bytes[at + 1..],
            _ => return Some((code, rest)),
        }
    }
}

/// A segment's content and what follows it.
fn split_segment(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)).checked_sub(2)?)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::image::jpeg) fn header(
        marker: u8,
        width: u16,
        height: u16,
        sampling: [u8; 3],
        scans: usize,
    ) -> Vec<u8> {
        let mut bytes = vec![0xFF, 0xD8, 0xFF, marker, 0, 17, 8];
        bytes.extend(height.to_be_bytes());
        bytes.extend(width.to_be_bytes());
        bytes.extend([3, 1, sampling[0], 0, 2, sampling[1], 1, 3, sampling[2], 1]);
        for _ in 0..scans {
            bytes.extend([0xFF, 0xDA, 0, 2, 0x12, 0xFF, 0x00, 0x34, 0xFF, 0xD0, 0x56]);
        }
        bytes.extend([0xFF, 0xD9]);
        bytes
    }

    #[test]
    fn the_outline_is_read_without_decoding() {
        let outline = Outline::read(&header(0xC2, 640, 480, [0x22, 0x11, 0x11], 9)).unwrap();
        assert_eq!(
            (outline.width, outline.height, outline.scans),
            (640, 480, 9)
        );
        assert!(outline.progressive);
        assert_eq!(outline.samples, 640 * 480 * 3 / 2);
    }

    #[test]
    fn incomplete_or_odd_files_have_no_outline() {
        let good = header(0xC0, 64, 64, [0x11; 3], 1);
        for end in 0..good.len() {
            assert_eq!(Outline::read(&good[..end]), None, "cut at {end}");
        }
        assert_eq!(Outline::read(&header(0xC3, 64, 64, [0x11; 3], 1)), None);
        assert_eq!(Outline::read(&header(0xC0, 64, 64, [0x01; 3], 1)), None);
        assert_eq!(Outline::read(&header(0xC0, 64, 64, [0x11; 3], 0)), None);
    }
}
