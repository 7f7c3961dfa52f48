//! HEIC photos: decoded like a reference decoder does, broken ones refused at once.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use face::{Image, Limits, PhotoError, decode_photo};

use crate::{read, root, skipped};

/// The photos handed round for measuring, good and broken; empty where they are not.
fn files(extension: &str) -> Vec<PathBuf> {
    let dir = root().join("../shared/faces/heic");
    let Ok(entries) = std::fs::read_dir(&dir) else {
        skipped(&format!("{} is not on this machine", dir.display()));
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|e| e == extension));
    files.sort();
    files
}

/// Everything in full size.
fn full_size() -> Limits {
    Limits {
        side: usize::MAX,
        memory: 1 << 30,
        ..Limits::default()
    }
}

/// What libheif makes of a file; `None` where its program is not installed.
fn reference(file: &Path) -> Option<(usize, usize, Vec<u8>)> {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out.png");
    let ran = ["heif-dec", "heif-convert"].into_iter().find_map(|tool| {
        let output = Command::new(tool).arg(file).arg(&out).output().ok()?;
        assert!(output.status.success(), "{tool} {}", file.display());
        Some(())
    });
    if ran.is_none() {
        skipped("neither heif-dec nor heif-convert is installed (Debian: libheif-examples)");
    }
    ran?;
    // Some versions number the pictures of a file.
    let out = if out.exists() {
        out
    } else {
        dir.path().join("out-1.png")
    };
    let file = std::io::BufReader::new(std::fs::File::open(out).unwrap());
    let mut decoder = png::Decoder::new(file);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().unwrap();
    let mut data = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut data).unwrap();
    assert_eq!(frame.color_type, png::ColorType::Rgb);
    Some((frame.width as usize, frame.height as usize, data))
}

/// Peak signal to noise ratio, dB.
fn psnr(one: &[u8], two: &[u8]) -> f64 {
    assert_eq!(one.len(), two.len());
    let squares = one
        .iter()
        .zip(two)
        .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
    let mean = squares.sum::<f64>() / one.len() as f64;
    10.0 * (255.0 * 255.0 / mean.max(1e-9)).log10()
}

#[test]
fn photos_decode_like_the_reference() {
    for file in files("heic") {
        let image = decode_photo(&read(&file), &full_size()).unwrap();
        let Some((width, height, data)) = reference(&file) else {
            return;
        };
        assert_eq!((image.width(), image.height()), (width, height));
        let psnr = psnr(image.data(), &data);
        println!("{}: {width}x{height}, {psnr:.1} dB", file.display());
        assert!(psnr >= 37.0, "{}: {psnr:.1} dB", file.display());
    }
}

/// What the engine looks at is the same picture, only smaller.
#[test]
fn photos_are_scaled_down_while_they_are_decoded() {
    for file in files("heic") {
        let bytes = read(&file);
        let whole = decode_photo(&bytes, &full_size()).unwrap();
        let small = decode_photo(&bytes, &Limits::default()).unwrap();
        let longer = whole.width().max(whole.height());
        assert_eq!(small.width().max(small.height()), longer.min(2048));
        let mean = |image: &Image| {
            let sum: u64 = image.data().iter().map(|v| u64::from(*v)).sum();
            sum as f64 / image.data().len() as f64
        };
        assert!((mean(&whole) - mean(&small)).abs() < 0.5);
    }
}

#[test]
fn broken_files_are_refused_at_once() {
    for file in files("heif") {
        let bytes = read(&file);
        let begun = Instant::now();
        let refused = decode_photo(&bytes, &Limits::default()).err();
        let took = begun.elapsed();
        println!("{}: {took:?}", file.display());
        assert_eq!(refused, Some(PhotoError::Unsupported));
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
}

/// Cut off anywhere, a photo is refused before a pixel is decoded or soon after.
#[test]
fn cut_off_files_are_refused_at_once() {
    for file in files("heic") {
        let bytes = read(&file);
        for part in 1..8 {
            let cut = &bytes[..bytes.len() * part / 8];
            let begun = Instant::now();
            // Metadata at the end may be missing without harm.
            let refused = decode_photo(cut, &Limits::default()).err();
            let took = begun.elapsed();
            assert_eq!(refused, Some(PhotoError::Unsupported), "{part} of 8");
            assert!(took < Duration::from_secs(1), "{took:?}");
        }
    }
}
