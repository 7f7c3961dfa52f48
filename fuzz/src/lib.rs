//! The sources that read hostile bytes, taken as they are: their doors are private, and whoever fuzzes them
//! need not build the networks and the server around them.

#[allow(dead_code)]
#[path = "../../crates/face/src/error.rs"]
mod error;
#[allow(dead_code, unused_imports)]
#[path = "../../crates/face/src/image/mod.rs"]
mod image;
#[allow(dead_code)]
#[path = "../../crates/server/src/http/extract/multipart.rs"]
mod multipart;

pub use error::{PhotoError, PoorReason};
pub use image::{Format, Limits};
use sight::geometry;
pub use sight::Image;

/// Small enough that one run does not take a second, large enough that a picture is scaled down.
const LIMITS: Limits = Limits {
    bytes: 1 << 20,
    pixels: 1 << 20,
    memory: 64 << 20,
    side: 200,
};

/// Decodes a file that begins as one of `format` does; what is made of it keeps within the limits.
pub fn photo(format: Format, bytes: &[u8]) {
    if Format::of(bytes) == Some(format) {
        any(bytes);
    }
}

/// Decodes whatever it is.
pub fn any(bytes: &[u8]) {
    if let Ok(image) = image::decode(bytes, &LIMITS) {
        let (width, height) = (image.width(), image.height());
        assert!((1..=LIMITS.side).contains(&width) && (1..=LIMITS.side).contains(&height));
        assert_eq!(image.data().len(), width * height * 3);
    }
}

/// Reads a form: its parts lie in the body, one behind the other, with a boundary between them.
pub fn form(body: &[u8]) {
    const MOST: usize = 16;
    let _ = multipart::boundary(&String::from_utf8_lossy(body));
    if let Ok(parts) = multipart::parts(body, "x", MOST) {
        assert!(parts.len() <= MOST);
        let mut at = 0;
        for part in &parts {
            assert!(at <= part.content.start && part.content.start <= part.content.end);
            at = part.content.end + "\r\n--x".len();
        }
        assert!(at <= body.len());
    }
}
