//! The laboratory as its users see it: real pack, real photos, recordings where they are.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests"
)]

mod accuracy;
mod attacks;
mod other_packs;
mod references;

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
