//! What decoding a photo takes at its highest, counted by the allocator: never more than [`Limits`] allow,
//! for good photos and for bombs of every format. A program of its own, so that nothing else allocates.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests"
)]

#[path = "it/chunk.rs"]
mod chunk;

use chunk::insert_chunk;
use face::{Limits, PhotoError, decode_photo};
use peak_alloc::PeakAlloc;

/// Counts a reallocation as both blocks at once, which is what it may take.
#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Errors, threads and tables of the libraries.
const BESIDE: u64 = 1 << 20;

/// Decodes; the result without its pixels, and how much more memory than before that took.
fn decode(bytes: &[u8], limits: &Limits) -> (Result<(usize, usize), PhotoError>, u64) {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let result = decode_photo(bytes, limits).map(|image| (image.width(), image.height()));
    (result, (MEMORY.peak_usage() - before) as u64)
}

/// What must become of a file.
#[derive(Clone, Copy, PartialEq, Debug)]
enum End {
    Read,
    TooLarge,
    Unsupported,
}

/// Decodes within the default limits, then with a ceiling below what that took.
fn check(name: &str, bytes: &[u8], expected: End) {
    let limits = Limits::default();
    let (result, peak) = decode(bytes, &limits);
    let mb = |bytes: u64| bytes as f64 / 1e6;
    println!(
        "{name:34} {:6.2} MB of file, peak {:6.1} MB: {result:?}",
        mb(bytes.len() as u64),
        mb(peak)
    );
    let end = match result {
        Ok(_) => End::Read,
        Err(PhotoError::TooLarge) => End::TooLarge,
        Err(PhotoError::Unsupported) => End::Unsupported,
        Err(e) => panic!("{name}: {e}"),
    };
    assert_eq!(end, expected, "{name}");
    assert!(peak <= limits.memory, "{name}: {peak}");
    if end == End::TooLarge {
        assert!(peak <= bytes.len() as u64 + BESIDE, "{name}: refused late");
    }
    // How much of a progressive JPEG waits in the library's queue depends on its threads: a ceiling just below
    // one run's peak says nothing of the next.
    if name.starts_with("JPEG progressive") {
        return;
    }
    // The estimate is never below the truth, wherever the ceiling lies.
    for part in [99, 70, 40, 10] {
        let memory = (peak * part / 100).max(BESIDE);
        let (result, peak) = decode(bytes, &Limits { memory, ..limits });
        assert!(
            peak <= memory + BESIDE,
            "{name}: {peak} under a ceiling of {memory}, {result:?}"
        );
    }
}

/// A smooth picture with a little of everything.
fn pixels(width: usize, height: usize, channels: usize) -> Vec<u8> {
    (0..width * height * channels)
        .map(|i| {
            let (x, y) = (i / channels % width, i / channels / width);
            ((x * 255 / width) ^ (y / 9)) as u8
        })
        .collect()
}

fn jpeg(width: u16, height: u16, sampling: (u8, u8), progressive: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 60);
    encoder.set_progressive(progressive);
    let sampling = jpeg_encoder::SamplingFactor::from_factors(sampling.0, sampling.1);
    encoder.set_sampling_factor(sampling.unwrap());
    let data = pixels(width.into(), height.into(), 3);
    let colours = jpeg_encoder::ColorType::Rgb;
    encoder.encode(&data, width, height, colours).unwrap();
    bytes
}

#[test]
fn no_photo_takes_more_than_it_may() {
    jpegs();
    pngs();
    webps();
    heics();
}

fn jpegs() {
    for (name, progressive) in [("baseline", false), ("progressive", true)] {
        let whole = jpeg(4000, 3000, (2, 2), progressive);
        check(&format!("JPEG {name} 12 MP"), &whole, End::Read);
        let cut = &whole[..whole.len() / 2];
        check(&format!("JPEG {name}, cut off"), cut, End::Unsupported);
        let mut broken = whole.clone();
        let middle = broken.len() / 2;
        broken[middle..middle + 3000].fill(0x55);
        let (_, peak) = decode(&broken, &Limits::default());
        assert!(peak <= Limits::default().memory, "broken: {peak}");
        // A header over 60,000 pixels a side; SOF0 or SOF2, then length and precision.
        let marker = if progressive { 0xC2 } else { 0xC0 };
        let at = whole.windows(2).position(|w| w == [0xFF, marker]).unwrap();
        let mut bomb = whole;
        bomb[at + 5..at + 9].copy_from_slice(&[0xEA, 0x60, 0xEA, 0x60]);
        check(&format!("JPEG {name} of 3600 MP"), &bomb, End::TooLarge);
        let small = jpeg(640, 480, (1, 1), progressive);
        check(&format!("JPEG {name} 640 by 480"), &small, End::Read);
        let row = jpeg(65_000, 8, (1, 1), progressive);
        check(&format!("JPEG {name} of 8 rows"), &row, End::Read);
    }
    let largest = jpeg(8000, 6200, (2, 2), false);
    check("JPEG baseline 49.6 MP", &largest, End::Read);
    let largest = jpeg(8000, 6200, (2, 2), true);
    check("JPEG progressive 49.6 MP", &largest, End::Read);
    let dear = jpeg(8000, 6200, (1, 1), true);
    check("JPEG progressive 49.6 MP, 4:4:4", &dear, End::TooLarge);
}

fn png(width: u32, height: u32, colours: png::ColorType, deep: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(colours);
    let channels = colours.samples() * if deep { 2 } else { 1 };
    if deep {
        encoder.set_depth(png::BitDepth::Sixteen);
    }
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().unwrap();
    let data = pixels(width as usize, height as usize, channels);
    writer.write_image_data(&data).unwrap();
    writer.finish().unwrap();
    bytes
}

fn pngs() {
    use png::ColorType::{Grayscale, Rgb, Rgba};
    check("PNG 12 MP", &png(4000, 3000, Rgb, false), End::Read);
    check(
        "PNG 12 MP, RGBA of 16 bits",
        &png(4000, 3000, Rgba, true),
        End::Read,
    );
    check("PNG 49 MP", &png(7000, 7000, Grayscale, false), End::Read);
    check("PNG of 1 row", &png(200_000, 1, Rgb, false), End::Read);
    check("PNG of 1 column", &png(1, 300_000, Rgb, false), End::Read);
    let small = png(640, 480, Rgba, false);
    check("PNG 640 by 480", &small, End::Read);
    check("PNG, cut off", &small[..small.len() / 2], End::Unsupported);
    let mut bomb = small.clone();
    bomb[16..24].copy_from_slice(&[0x7F, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF]);
    let (result, peak) = decode(&bomb, &Limits::default());
    assert!(result.is_err() && peak <= BESIDE, "{result:?}, {peak}");
    // A text that would be a gigabyte: not even unpacked.
    let mut text = small;
    let deflated = vec![0; 1_000_000];
    insert_chunk(
        &mut text,
        *b"zTXt",
        &[b"a\0\0\x78\x9C", &deflated[..]].concat(),
    );
    let (_, peak) = decode(&text, &Limits::default());
    assert!(peak <= 16 << 20, "a packed text: {peak}");
}

fn webp(width: u32, height: u32, alpha: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (channels, colours) = if alpha {
        (4, image_webp::ColorType::Rgba8)
    } else {
        (3, image_webp::ColorType::Rgb8)
    };
    let data = pixels(width as usize, height as usize, channels);
    let encoder = image_webp::WebPEncoder::new(&mut bytes);
    encoder.encode(&data, width, height, colours).unwrap();
    bytes
}

/// A lossy picture of which all bits are 0: a header that says nothing special, and blocks without detail
/// (RFC 6386, 9.1). No encoder at hand writes this kind.
fn lossy(width: u16, height: u16) -> Vec<u8> {
    const MODES: usize = 500_000;
    // A key frame, shown, and the length of its first partition.
    let tag = 1 << 4 | (MODES as u32) << 5;
    let mut frame = tag.to_le_bytes()[..3].to_vec();
    frame.extend([0x9D, 0x01, 0x2A]);
    frame.extend(width.to_le_bytes());
    frame.extend(height.to_le_bytes());
    frame.resize(frame.len() + MODES + 2_000_000, 0);
    riff(b"VP8 ", &frame)
}

fn riff(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut file = b"RIFF".to_vec();
    file.extend((data.len() as u32 + 12).to_le_bytes());
    file.extend(b"WEBP");
    file.extend(kind);
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

fn webps() {
    check("WebP lossless 12 MP", &webp(4000, 3000, false), End::Read);
    check(
        "WebP lossless 12 MP, alpha",
        &webp(4000, 3000, true),
        End::Read,
    );
    check(
        "WebP lossless 48 MP",
        &webp(8000, 6000, false),
        End::TooLarge,
    );
    let small = webp(640, 480, true);
    check("WebP lossless 640 by 480", &small, End::Read);
    check("WebP, cut off", &small[..small.len() / 2], End::Unsupported);
    check("WebP lossy 12 MP", &lossy(4000, 3000), End::Read);
    check(
        "WebP lossy of 268 MP",
        &lossy(0x3FFF, 0x3FFF),
        End::TooLarge,
    );
    // 16,384 pixels a side in a stream of nothing.
    let mut stream = vec![0x2F];
    stream.extend((0x3FFF_u32 | 0x3FFF << 14).to_le_bytes());
    stream.resize(2000, 0);
    let (result, peak) = decode(&riff(b"VP8L", &stream), &Limits::default());
    assert!(result.is_err() && peak <= BESIDE, "{result:?}, {peak}");
}

#[cfg(feature = "heic")]
fn heics() {
    let options = heifer::EncodeOptions {
        quality: 40,
        max_threads: 1,
    };
    let heic = |width: u32, height: u32| {
        let data = pixels(width as usize, height as usize, 3);
        heifer::encode_rgb8(width, height, &data, &options).unwrap()
    };
    let whole = heic(4000, 3000);
    check("HEIC 12 MP", &whole, End::Read);
    check("HEIC, cut off", &whole[..whole.len() / 2], End::Unsupported);
    check("HEIC 640 by 480", &heic(640, 480), End::Read);
    // The container's size of the picture, wherever it is told.
    let mut bomb = whole;
    let places: Vec<usize> = (0..bomb.len() - 16)
        .filter(|at| &bomb[*at..at + 4] == b"ispe")
        .collect();
    for at in places {
        bomb[at + 8..at + 16].copy_from_slice(&[0, 0, 0xEA, 0x60, 0, 0, 0xEA, 0x60]);
    }
    let (result, peak) = decode(&bomb, &Limits::default());
    println!("HEIC of 3600 MP: {result:?}, peak {peak}");
    assert!(
        result.is_err() && peak <= Limits::default().memory,
        "{peak}"
    );
}

#[cfg(not(feature = "heic"))]
fn heics() {}
