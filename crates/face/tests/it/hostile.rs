//! Bytes meant to hurt: every answer is a template or a reason, never a panic.
//!
//! The decoders turn a panic into `Unsupported`; their unit tests call them without that net.

use face::{Engine, FaceEngine, Limits, PhotoError, Template};
use proptest::prelude::*;

use crate::{ENGINE, demo};

#[test]
fn what_is_no_photo_is_unsupported() {
    for bytes in [
        &b""[..],
        b"x",
        b"hello, I am a text",
        b"\xFF\xD8\xFF",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"RIFF\0\0\0\0WEBPVP8 ",
    ] {
        assert_eq!(ENGINE.template(bytes).unwrap_err(), PhotoError::Unsupported);
    }
    let mut heic = b"\0\0\0\x18ftypheic".to_vec();
    heic.resize(4000, 7);
    assert_eq!(ENGINE.template(&heic).unwrap_err(), PhotoError::Unsupported);
}

#[test]
fn truncated_photos_are_unsupported() {
    let photo = demo("person1/01.jpg");
    for part in 1..20 {
        let cut = photo.len() * part / 20;
        assert_eq!(
            ENGINE.template(&photo[..cut]).unwrap_err(),
            PhotoError::Unsupported,
            "cut at {cut}"
        );
    }
}

#[test]
fn too_many_bytes_are_too_large() {
    let mut photo = demo("person1/01.jpg");
    photo.resize(12_000_001, 0);
    assert_eq!(ENGINE.template(&photo).unwrap_err(), PhotoError::TooLarge);
}

#[test]
fn limits_can_be_lowered() {
    let engine = Engine::load(&crate::pack_dir()).unwrap();
    let engine = engine.with_limits(Limits {
        pixels: 1000,
        ..Limits::default()
    });
    assert_eq!(
        engine.template(&demo("person1/01.jpg")).unwrap_err(),
        PhotoError::TooLarge
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Some bytes of a photo changed, anywhere.
    #[test]
    fn mutated_photos_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20)) {
        let mut photo = demo("person2/02.jpg");
        for (at, value) in changes {
            let at = at.index(photo.len());
            photo[at] = value;
        }
        let _ = ENGINE.template(&photo);
    }

    /// A right beginning, then anything.
    #[test]
    fn mislabelled_bytes_never_panic(png in any::<bool>(), rest in prop::collection::vec(any::<u8>(), 0..2000)) {
        let start: &[u8] = if png { b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" } else { b"\xFF\xD8\xFF\xE0\0\x10JFIF\0" };
        let bytes = [start, &rest].concat();
        prop_assert!(ENGINE.template(&bytes).is_err());
    }

    /// Templates are read back from storage: anything may be there.
    #[test]
    fn any_bytes_for_a_template(bytes in prop::collection::vec(any::<u8>(), 0..700)) {
        prop_assert!(Template::from_bytes(&bytes).is_err());
        let _ = Template::from_bytes(&[b"AXFT\x01\0", &bytes[..]].concat());
    }
}
