//! One photo in, a template or a reason out.

use face::{FaceEngine, FmrLevel, PhotoError, PoorReason, Template};

use crate::chunk::insert_chunk;
use crate::{ENGINE, build, demo, read};

fn template(photo: &[u8]) -> Result<Template, PhotoError> {
    ENGINE.template(photo)
}

/// A PNG of the given RGB pixels.
pub(crate) fn png(width: u32, height: u32, rgb: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder
        .write_header()
        .unwrap()
        .write_image_data(rgb)
        .unwrap();
    bytes
}

/// A demo face's pixels: width, height, RGB.
fn pixels(name: &str) -> (u32, u32, Vec<u8>) {
    let bytes = demo(name);
    let mut decoder =
        zune_jpeg::JpegDecoder::new(zune_jpeg::zune_core::bytestream::ZCursor::new(&bytes[..]));
    let rgb = decoder.decode().unwrap();
    let info = decoder.info().unwrap();
    (u32::from(info.width), u32::from(info.height), rgb)
}

#[test]
fn the_same_photo_gives_the_same_template() {
    let photo = demo("person1/01.jpg");
    let (one, two) = (template(&photo).unwrap(), template(&photo).unwrap());
    assert_eq!(one.distance(&two), Ok(0.0));
    assert!(one.is_of(ENGINE.pack()));
}

#[test]
fn the_format_does_not_matter() {
    let (width, height, rgb) = pixels("person1/01.jpg");
    let from_png = template(&png(width, height, &rgb)).unwrap();
    let from_jpeg = template(&demo("person1/01.jpg")).unwrap();
    assert!(from_png.distance(&from_jpeg).unwrap() < 0.01);
}

#[test]
fn the_cameras_orientation_is_obeyed() {
    let (width, height, rgb) = pixels("person2/01.jpg");
    // Turned a quarter to the left, as a phone stores it, with the tag that says so (EXIF value 6).
    let (w, h) = (width as usize, height as usize);
    let turned: Vec<u8> = (0..w)
        .flat_map(|y| (0..h).map(move |x| (x, y)))
        .flat_map(|(x, y)| rgb[((h - 1 - x) * w + y) * 3..][..3].to_vec())
        .collect();
    let mut bytes = png(height, width, &turned);
    let lost = template(&bytes);
    let exif = b"MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0\0\0\0\0";
    insert_chunk(&mut bytes, *b"eXIf", exif);
    let upright = template(&demo("person2/01.jpg")).unwrap();
    let distance = template(&bytes).unwrap().distance(&upright).unwrap();
    assert!(distance < 0.01, "{distance}");
    // Without the tag it lies on its side: it is turned upright, or refused, but never another face.
    let threshold = ENGINE.pack().threshold(FmrLevel::OneIn10000);
    assert!(lost.is_err() || lost.unwrap().distance(&upright).unwrap() < threshold);
}

#[test]
fn a_face_that_fills_the_frame_is_found() {
    let (width, _, rgb) = pixels("person1/01.jpg");
    let whole = template(&demo("person1/01.jpg")).unwrap();
    // The middle half of the picture: little more than brows to chin.
    let side = width / 2;
    let from = (width - side) / 2;
    let crop: Vec<u8> = (from..from + side)
        .flat_map(|y| {
            rgb[((y * width + from) * 3) as usize..((y * width + from + side) * 3) as usize]
                .to_vec()
        })
        .collect();
    let distance = template(&png(side, side, &crop))
        .unwrap()
        .distance(&whole)
        .unwrap();
    let threshold = ENGINE.pack().threshold(FmrLevel::OneIn10000);
    assert!(distance < threshold, "{distance}");
}

#[test]
fn pictures_without_a_usable_face_say_why() {
    let gray = vec![128; 400 * 300 * 3];
    assert_eq!(
        template(&png(400, 300, &gray)).unwrap_err(),
        PhotoError::NoFace
    );
    let (width, height, mut rgb) = pixels("person1/01.jpg");
    rgb.iter_mut().for_each(|v| *v /= 11);
    assert_eq!(
        template(&png(width, height, &rgb)).unwrap_err(),
        PhotoError::Poor(PoorReason::TooDark)
    );
}

#[test]
fn two_people_side_by_side_are_several_faces() {
    let (width, height, left) = pixels("person1/01.jpg");
    let (w2, h2, right) = pixels("person2/01.jpg");
    assert_eq!((width, height), (w2, h2));
    let row = width as usize * 3;
    let both: Vec<u8> = left
        .chunks(row)
        .zip(right.chunks(row))
        .flat_map(|(l, r)| [l, r].concat())
        .collect();
    assert_eq!(
        template(&png(2 * width, height, &both)).unwrap_err(),
        PhotoError::SeveralFaces
    );
    let group = build().join("../node_modules/@vladmandic/face-api/demo/sample6.jpg");
    if group.exists() {
        assert_eq!(
            template(&read(&group)).unwrap_err(),
            PhotoError::SeveralFaces
        );
    }
}

#[test]
fn a_small_picture_on_the_wall_does_not_disturb() {
    let (width, height, main) = pixels("person1/01.jpg");
    let (_, _, other) = pixels("person2/01.jpg");
    // The other face a fourth as large, in the upper left corner of a picture twice as wide.
    let (w, h) = (width as usize, height as usize);
    let mut rgb = vec![90; 2 * w * h * 3];
    for y in 0..h {
        rgb[(y * 2 * w + w) * 3..(y + 1) * 2 * w * 3]
            .copy_from_slice(&main[y * w * 3..(y + 1) * w * 3]);
    }
    for y in 0..h / 4 {
        for x in 0..w / 4 {
            let (from, to) = ((y * 4 * w + x * 4) * 3, ((y + 20) * 2 * w + x + 20) * 3);
            rgb[to..to + 3].copy_from_slice(&other[from..from + 3]);
        }
    }
    let found = template(&png(2 * width, height, &rgb)).unwrap();
    let distance = found
        .distance(&template(&demo("person1/01.jpg")).unwrap())
        .unwrap();
    assert!(distance < 0.2, "{distance}");
}
