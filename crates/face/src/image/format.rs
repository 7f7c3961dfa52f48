//! The formats told apart, by their first bytes; names and content types are never believed.

/// A format of photos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// JPEG, baseline or progressive.
    Jpeg,
    /// Portable Network Graphics, ISO/IEC 15948.
    Png,
    /// WebP, lossy or lossless.
    WebP,
    /// HEIC and HEIF with HEVC inside.
    Heic,
}

/// Brands of the container that can hold a still coded with HEVC (ISO/IEC 23008-12, annex B, and
/// the two that name no codec).
const HEIC_BRANDS: [&[u8; 4]; 6] = [b"heic", b"heix", b"heim", b"heis", b"mif1", b"mif2"];

impl Format {
    /// The format of a file that begins with `bytes`; `None` for none of ours.
    ///
    /// Says what the file claims to be, not that it is whole, nor that this build reads it.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
            Some(Self::Jpeg)
        } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            Some(Self::WebP)
        } else if brands(bytes).is_some_and(|mut brands| brands.any(|b| HEIC_BRANDS.contains(&b))) {
            Some(Self::Heic)
        } else {
            None
        }
    }

    /// Whether a photo of this format takes several times as long as the others (HEIC: 12
    /// megapixels in a third of a second and more), so that a server may want to look at fewer of
    /// them side by side.
    #[must_use]
    pub fn is_slow(self) -> bool {
        self == Self::Heic
    }
}

/// The brands of an ISO base media file: the major one, then the compatible ones.
fn brands(bytes: &[u8]) -> Option<impl Iterator<Item = &[u8; 4]>> {
    let (length, rest) = bytes.split_first_chunk()?;
    let content = rest.strip_prefix(b"ftyp")?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let content = &content[..content.len().min(length.checked_sub(8)?)];
    // After the major brand comes its version, which is no brand.
    let words = content.as_chunks::<4>().0.iter().enumerate();
    Some(words.filter(|(at, _)| *at != 1).map(|(_, word)| word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        let of = Format::of;
        assert_eq!(of(&[0xFF, 0xD8, 0xFF, 0xE0]), Some(Format::Jpeg));
        assert_eq!(of(b"\x89PNG\r\n\x1a\n...."), Some(Format::Png));
        assert_eq!(of(b"RIFF....WEBP"), Some(Format::WebP));
        assert_eq!(of(b"\0\0\0\x10ftypheic\0\0\0\0"), Some(Format::Heic));
        assert_eq!(of(b"\0\0\0\x14ftypmsf1\0\0\0\0heix"), Some(Format::Heic));
        for other in [
            &b""[..],
            b"\xFF\xD8",
            b"RIFF....WAVE",
            b"GIF89a",
            b"hello",
            b"\0\0\0\x10ftypisom\0\0\0\0",
            b"\0\0\0\x14ftypavis\0\0\0\0avif",
            b"\0\0\0\x10ftypisomheic",         // a version, not a brand
            b"\0\0\0\x10ftypisom\0\0\0\0heic", // after the end of the box
            b"\0\0\0\x02ftypheic",
        ] {
            assert_eq!(of(other), None, "{other:?}");
        }
    }
}
