//! Every kind of JPEG that cameras and programs write shows the picture it was made from.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use proptest::prelude::*;

use crate::image::{Image, Limits, decode};

/// How a file is written.
#[derive(Debug, Clone)]
struct Kind {
    size: (u16, u16),
    sampling: SamplingFactor,
    progressive: bool,
    /// One scan for each component.
    apart: bool,
    restart: Option<u16>,
}

/// Red grows to the right, green downwards, blue in both directions.
fn colour(x: f32, y: f32) -> [f32; 3] {
    [40.0 + 150.0 * x, 40.0 + 150.0 * y, 100.0 + 50.0 * (x + y)]
}

/// The picture as brightness and colours (JFIF's conversion).
fn parts([r, g, b]: [f32; 3]) -> [f32; 3] {
    let y = 0.299 * r + 0.587 * g + 0.114 * b;
    [y, 128.0 + 0.564 * (b - y), 128.0 + 0.713 * (r - y)]
}

impl Kind {
    fn pixels(&self, of: impl Fn([f32; 3]) -> [f32; 3]) -> Vec<u8> {
        let (width, height) = (usize::from(self.size.0), usize::from(self.size.1));
        let place = |i: usize| {
            let (x, y) = ((i % width) as f32, (i / width) as f32);
            of(colour(x / width as f32, y / height as f32)).map(|v| v.round() as u8)
        };
        (0..width * height).flat_map(place).collect()
    }

    fn file(&self, pixels: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, 95);
        encoder.set_sampling_factor(self.sampling);
        encoder.set_progressive(self.progressive);
        encoder.set_optimized_huffman_tables(self.apart);
        if let Some(interval) = self.restart {
            encoder.set_restart_interval(interval);
        }
        encoder
            .encode(pixels, self.size.0, self.size.1, ColorType::Ycbcr)
            .unwrap();
        bytes
    }

    /// Refuses a picture that is not the one this was made from.
    fn check(&self, image: &Image) {
        let wanted = self.pixels(|rgb| rgb);
        assert_eq!(image.data().len(), wanted.len(), "{self:?}");
        let off = image.data().iter().zip(&wanted);
        let off = off.map(|(got, wanted)| u64::from(got.abs_diff(*wanted)));
        let mean = off.sum::<u64>() as f64 / wanted.len() as f64;
        assert!(mean < 6.0, "{self:?}: {mean} from the picture");
    }
}

/// Two components change places in the frame's header: the finer one, which was brightness, is a colour.
fn swapped(mut bytes: Vec<u8>) -> Vec<u8> {
    let frame = bytes
        .windows(2)
        .position(|w| matches!(w, [0xFF, 0xC0..=0xC2]))
        .unwrap();
    let components = frame + 10;
    for i in 0..3 {
        bytes.swap(components + i, components + 3 + i);
    }
    bytes
}

fn read(bytes: &[u8]) -> Result<Image, crate::PhotoError> {
    decode(bytes, &Limits::default())
}

fn kinds() -> impl Strategy<Value = Kind> {
    let samplings = prop::sample::select(vec![
        SamplingFactor::F_1_1,
        SamplingFactor::F_2_1,
        SamplingFactor::F_1_2,
        SamplingFactor::F_2_2,
        SamplingFactor::F_4_1,
        SamplingFactor::F_1_4,
    ]);
    let size = (33_u16..140, 33_u16..140);
    let restart = prop::option::of(1_u16..9);
    (size, samplings, any::<bool>(), any::<bool>(), restart).prop_map(
        |(size, sampling, progressive, apart, restart)| Kind {
            size,
            sampling,
            progressive,
            apart,
            // The encoder is trusted with restart marks only where one scan holds everything.
            restart: restart.filter(|_| !apart && !progressive),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_kind_shows_its_picture(kind in kinds()) {
        let file = kind.file(&kind.pixels(parts));
        let image = read(&file).unwrap();
        kind.check(&image);
        // A second decoder says the same.
        let mut other = jpeg_decoder::Decoder::new(&file[..]);
        let other = other.decode().unwrap();
        kind.check(&Image::new(image.width(), image.height(), other).unwrap());
    }

    /// Brightness with fewer samples than a colour.
    #[test]
    fn coarse_brightness_shows_its_picture(kind in kinds()) {
        let kind = Kind { apart: true, progressive: false, restart: None, ..kind };
        let [y, blue, red] = [0, 1, 2];
        let pixels = kind.pixels(|rgb| { let p = parts(rgb); [p[blue], p[y], p[red]] });
        kind.check(&read(&swapped(kind.file(&pixels))).unwrap());
    }

    /// The mark of the end may be missing; a pixel may not.
    #[test]
    fn the_end_mark_may_be_missing(kind in kinds(), part in 1_usize..9) {
        let file = kind.file(&kind.pixels(parts));
        let whole = read(&file).unwrap();
        for cut in [1, 2] {
            let image = read(&file[..file.len() - cut]).unwrap();
            assert_eq!(image.data(), whole.data());
        }
        let scan = file.windows(2).position(|w| w == [0xFF, 0xDA]).unwrap();
        let cut = scan + (file.len() - 8 - scan) * part / 10;
        assert!(read(&file[..cut]).is_err(), "{kind:?} cut at {cut} of {}", file.len());
    }
}

/// The files of the reports that this comes from, where they are: all show the picture that is right in one of them.
#[test]
fn reported_files_are_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases/photos");
    let Ok(files) = std::fs::read_dir(folder) else {
        println!("SKIPPED: {folder} is not on this machine");
        return;
    };
    for file in files {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let image = read(&bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        println!("{}: {} x {}", path.display(), image.width(), image.height());
        let turned = path
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("exif6");
        let mut decoder = jpeg_decoder::Decoder::new(&bytes[..]);
        if let Ok(other) = decoder.decode()
            && !turned
        {
            let off = image
                .data()
                .iter()
                .zip(&other)
                .map(|(a, b)| u64::from(a.abs_diff(*b)));
            let mean = off.sum::<u64>() as f64 / other.len() as f64;
            assert!(mean < 4.0, "{}: {mean}", path.display());
        }
        let info = decoder.info().unwrap();
        let stored = (usize::from(info.width), usize::from(info.height));
        let upright = (image.width(), image.height());
        assert_eq!(
            upright == (stored.1, stored.0),
            turned || stored.0 == stored.1,
            "{}",
            path.display()
        );
    }
}
