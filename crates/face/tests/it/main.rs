//! The engine as its users see it: real pack, real photos, hostile bytes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests"
)]

mod chunk;
mod fingerprint;
mod heic;
mod hostile;
mod liveness;
mod onnx;
mod other_packs;
mod pack;
mod photos;
mod turned;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use face::Engine;

/// The root folder of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What `make models` builds.
fn build() -> PathBuf {
    root().join("models/build")
}

/// The pack under test.
fn pack_dir() -> PathBuf {
    std::env::var_os("AXIAM_FACE_PACK").map_or_else(|| build().join("default"), PathBuf::from)
}

/// Loaded once: it takes a while.
static ENGINE: LazyLock<Engine> = LazyLock::new(|| match Engine::load(&pack_dir()) {
    Ok(engine) => engine,
    Err(e) => panic!("run `make models` ({e})"),
});

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|e| panic!("run `make models` ({}: {e})", path.display()))
}

/// A demo face, e.g. `person1/01.jpg`.
fn demo(name: &str) -> Vec<u8> {
    read(&build().join("demo-faces").join(name))
}

/// Says on the terminal what is left out; the test runner captures ordinary output of tests that
/// pass.
fn skipped(what: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}");
}
