//! The phone's engine against the server's: the same faces, the same numbers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests"
)]

mod browser;
mod mesh;
mod server;

use std::path::{Path, PathBuf};

use guide::Eye;
use sight::Image;

/// Whether two numbers are no farther apart than this.
fn is_near(a: f32, b: f32, most: f32) -> bool {
    (a - b).abs() <= most
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> Vec<u8> {
    let path = root().join("models/build").join(path);
    std::fs::read(&path).unwrap_or_else(|e| panic!("run `make models` ({}: {e})", path.display()))
}

fn eye() -> Eye {
    Eye::load(&read("guide/mesh.onnx")).unwrap()
}

/// The demo faces, as files.
fn faces() -> impl Iterator<Item = Vec<u8>> {
    (1..=6).map(|person| read(&format!("demo-faces/person{person}/01.jpg")))
}

/// A photo as the phone looks at it: 3 by 4, the face in the middle, moved aside and made larger as asked.
fn framed(photo: &Image, aside: f32, zoom: f32) -> Image {
    const WIDTH: usize = 240;
    const HEIGHT: usize = 320;
    let step = photo.width() as f32 / WIDTH as f32 / zoom;
    let (left, top) = (
        photo.width() as f32 / 2.0 + aside,
        photo.height() as f32 / 2.0,
    );
    Image::painted(WIDTH, HEIGHT, |x, y| {
        let across = (x as f32 - WIDTH as f32 / 2.0) * step;
        let down = (y as f32 - HEIGHT as f32 / 2.0) * step;
        photo.sample(left + across, top + down)
    })
}

/// Says on the terminal what is left out; the test runner captures ordinary output of tests that pass.
fn skipped(what: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}");
}
