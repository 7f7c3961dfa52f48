//! The decoders without the net that turns a panic into `Unsupported`: here a panic is a failure.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

/// A drawn picture, RGBA.
fn pixels(width: u32, height: u32) -> Vec<u8> {
    (0..width * height * 4)
        .map(|i| (i.wrapping_mul(i) / 97) as u8)
        .collect()
}

/// A real photo, as small as they come.
static JPEG: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../models/build/demo-faces/person5/02.jpg"
    );
    std::fs::read(path).expect("run `make models`")
});

/// A small picture of every kind of row filter.
static PNG: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut bytes = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut bytes, 64, 48);
    encoder.set_color(::png::ColorType::Rgba);
    encoder.set_filter(::png::Filter::Adaptive);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&pixels(64, 48)).unwrap();
    writer.finish().unwrap();
    bytes
});

static LOSSLESS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut bytes = Vec::new();
    image_webp::WebPEncoder::new(&mut bytes)
        .encode(&pixels(40, 30), 40, 30, image_webp::ColorType::Rgba8)
        .unwrap();
    bytes
});

/// A gradient of 24 by 20 pixels that grows transparent to the left: lossy, with compressed alpha.
/// No encoder of ours writes this kind.
const LOSSY: &[u8] = b"RIFF\x80\0\0\0WEBPVP8X\x0a\0\0\0\x10\0\0\0\x17\0\0\x13\0\0\
    ALPH\x11\0\0\0\x05\x20\xd2\xb6\x39\x5e\xfd\x0b\x3f\x8b\x88\x18\x91\x88\x44\xe4\x47\0\
    VP8 \x48\0\0\0\x30\x03\0\x9d\x01\x2a\x18\0\x14\0\x3f\xcd\xd4\xe5\x66\x3f\xb4\x30\x27\x30\
    \x18\x0c\x03\xf0\x39\x89\x6c\0\xb4\xe8\x15\x59\x17\x18\0\xfe\xde\x96\xb7\xb2\x0f\x0b\x9d\xab\
    \x41\x9f\xdb\x6e\x2d\x81\x96\x56\x0d\x06\xf0\xba\x07\x7b\xe0\xdd\xd6\x64\x90\xfe\xe2\x7f\xda\
    \x0c\0\0\0\0";

/// A picture with alpha, and one in four tiles.
#[cfg(feature = "heic")]
static HEIC: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
    let options = heifer::EncodeOptions {
        quality: 30,
        max_threads: 1,
    };
    let whole = heifer::encode_rgba8(96, 80, &pixels(96, 80), &options).unwrap();
    let gray = vec![90; 520 * 516 * 3];
    [
        whole,
        heifer::encode_rgb8(520, 516, &gray, &options).unwrap(),
    ]
});

/// Small enough that everything is scaled down.
fn small() -> Limits {
    Limits {
        side: 16,
        ..Limits::default()
    }
}

fn look(format: Format, bytes: &[u8]) -> Result<Image, PhotoError> {
    let whole = decode_as(format, bytes, &Limits::default());
    let scaled = decode_as(format, bytes, &small());
    assert!(scaled.is_ok() || whole.is_err() || format == Format::Jpeg);
    whole
}

#[test]
fn every_kind_of_file_is_read() {
    let size = |format, bytes: &[u8]| {
        let image = look(format, bytes).unwrap();
        (image.width(), image.height())
    };
    assert_eq!(size(Format::Png, &PNG), (64, 48));
    assert_eq!(size(Format::WebP, &LOSSLESS), (40, 30));
    assert_eq!(size(Format::WebP, LOSSY), (24, 20));
    assert!(decode_as(Format::Jpeg, &JPEG, &small()).is_ok());
    #[cfg(feature = "heic")]
    {
        assert_eq!(size(Format::Heic, &HEIC[0]), (96, 80));
        assert_eq!(size(Format::Heic, &HEIC[1]), (520, 516));
    }
    for bytes in [&PNG[..], &LOSSLESS, LOSSY, &JPEG] {
        for part in 1..16 {
            let cut = &bytes[..bytes.len() * part / 16];
            let refused = decode(cut, &Limits::default()).err();
            assert_eq!(refused, Some(PhotoError::Unsupported), "{part} of 16");
        }
    }
}

/// What shines through becomes white, in every format that can.
#[test]
fn transparent_places_become_white() {
    let image = decode(LOSSY, &Limits::default()).unwrap();
    assert!(
        image.data()[..3].iter().all(|v| *v > 240),
        "{:?}",
        &image.data()[..3]
    );
    let clear: Vec<u8> = pixels(40, 30)
        .chunks(4)
        .flat_map(|p| [p[0], p[1], p[2], 0])
        .collect();
    let mut webp = Vec::new();
    image_webp::WebPEncoder::new(&mut webp)
        .encode(&clear, 40, 30, image_webp::ColorType::Rgba8)
        .unwrap();
    let image = decode(&webp, &Limits::default()).unwrap();
    assert!(image.data().iter().all(|v| *v == 255));
    #[cfg(feature = "heic")]
    {
        let heic = heifer::encode_rgba8(40, 30, &clear, &heifer::EncodeOptions::default());
        let image = decode(&heic.unwrap(), &Limits::default()).unwrap();
        assert!(image.data().iter().all(|v| *v > 250));
    }
}

/// A lossless stream may ask for 65,536 groups of prefix codes: more than a gigabyte of tables.
#[test]
fn a_bomb_of_prefix_codes_is_refused_unmade() {
    let mut bits = Bits::default();
    // No transforms, no colour cache, groups by blocks of 4 pixels.
    for (value, count) in [(0, 1), (0, 1), (1, 1), (0, 3)] {
        bits.put(value, count);
    }
    // All blocks are of group 65,535: codes of one symbol each, which need no bits.
    bits.put(0, 1);
    for symbol in [255, 255, 0, 0, 0] {
        bits.single(symbol);
    }
    for _ in 0..65_536 * 5 {
        bits.long_code();
    }
    let mut stream = vec![0x2F];
    stream.extend((63_u32 | 63 << 14).to_le_bytes());
    stream.extend(bits.bytes());
    let mut file = b"RIFF".to_vec();
    file.extend((stream.len() as u32 + 12).to_le_bytes());
    file.extend(b"WEBPVP8L");
    file.extend((stream.len() as u32).to_le_bytes());
    file.extend(&stream);
    assert!(file.len() < 12_000_000);
    let refused = decode_as(Format::WebP, &file, &Limits::default()).err();
    assert_eq!(refused, Some(PhotoError::TooLarge));
}

/// Writes bits, the lowest of each byte first.
#[derive(Default)]
struct Bits {
    done: Vec<u8>,
    window: u64,
    held: u32,
}

impl Bits {
    fn put(&mut self, value: u64, count: u32) {
        self.window |= value << self.held;
        self.held += count;
        while self.held >= 8 {
            self.done.push(self.window as u8);
            self.window >>= 8;
            self.held -= 8;
        }
    }

    fn single(&mut self, symbol: u64) {
        self.put(0b101, 3);
        self.put(symbol, 8);
    }

    /// A code of ten bits' depth: symbols 0 to 10 with lengths 1 to 9, 10, 10.
    fn long_code(&mut self) {
        // Lengths' own code: 16 lengths, one of 1 to 10 each, as a code of four bits.
        self.put(0, 1);
        self.put(10, 4);
        // In their order 17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10: six of three bits, four of four.
        for length in [0, 0, 0, 3, 3, 3, 3, 3, 0, 3, 4, 4, 4, 4] {
            self.put(length, 3);
        }
        // Eleven lengths are written: 2 + 9 in four bits.
        self.put(1, 1);
        self.put(1, 3);
        self.put(9, 4);
        for symbol in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10_u64] {
            let (code, count): (u64, u32) = match symbol {
                1..=6 => (symbol - 1, 3),
                _ => (12 + symbol - 7, 4),
            };
            // Codes are written from their highest bit.
            for bit in (0..count).rev() {
                self.put(code >> bit & 1, 1);
            }
        }
    }

    fn bytes(mut self) -> Vec<u8> {
        self.put(0, 7);
        self.done
    }
}

fn mutated(
    mut bytes: Vec<u8>,
    changes: &[(prop::sample::Index, u8)],
    cut: prop::sample::Index,
) -> Vec<u8> {
    for (at, value) in changes {
        let at = at.index(bytes.len());
        bytes[at] = *value;
    }
    // Every other time the end is missing as well.
    let keep = cut.index(2 * bytes.len());
    bytes.truncate(keep.max(16));
    bytes
}

fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn jpeg(changes in changes(), cut: prop::sample::Index) {
        let _ = look(Format::Jpeg, &mutated(JPEG.clone(), &changes, cut));
    }

    /// Changes in the headers, where they matter most.
    #[test]
    fn jpeg_headers(changes in prop::collection::vec((2_usize..620, any::<u8>()), 1..6)) {
        let mut bytes = JPEG.clone();
        changes.into_iter().for_each(|(at, value)| bytes[at] = value);
        let _ = look(Format::Jpeg, &bytes);
    }

    #[test]
    fn png(changes in changes(), cut: prop::sample::Index) {
        let _ = decode_as(Format::Png, &mutated(PNG.clone(), &changes, cut), &small());
    }

    #[test]
    fn webp(changes in changes(), cut: prop::sample::Index) {
        let _ = decode_as(Format::WebP, &mutated(LOSSY.to_vec(), &changes, cut), &small());
        let _ = decode_as(Format::WebP, &mutated(LOSSLESS.clone(), &changes, cut), &small());
    }

    #[cfg(feature = "heic")]
    #[test]
    fn heic(changes in changes(), cut: prop::sample::Index, tiles: bool) {
        let _ = decode_as(Format::Heic, &mutated(HEIC[usize::from(tiles)].clone(), &changes, cut), &small());
    }

    /// Changes in the boxes alone: the picture's own bytes stay good.
    #[cfg(feature = "heic")]
    #[test]
    fn heic_boxes(changes in prop::collection::vec((4_usize..600, any::<u8>()), 1..4), tiles: bool) {
        let mut bytes = HEIC[usize::from(tiles)].clone();
        changes.into_iter().filter(|(at, _)| *at < bytes.len()).collect::<Vec<_>>()
            .into_iter().for_each(|(at, value)| bytes[at] = value);
        let _ = decode_as(Format::Heic, &bytes, &small());
    }

    #[test]
    fn anything(kind in 0..4_usize, bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let (format, start): (_, &[u8]) = [
            (Format::Jpeg, &b"\xFF\xD8\xFF"[..]),
            (Format::Png, b"\x89PNG\r\n\x1a\n"),
            (Format::WebP, b"RIFF\x80\0\0\0WEBPVP8L\x70\0\0\0\x2F"),
            (Format::Heic, b"\0\0\0\x10ftypheic\0\0\0\0"),
        ][kind];
        let _ = decode_as(format, &[start, &bytes].concat(), &Limits::default());
        let _ = exif::orientation(&bytes);
    }
}
