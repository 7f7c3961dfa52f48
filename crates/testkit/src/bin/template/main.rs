//! Prints the numbers of the templates of photos, one JSON array a photo: what a test then looks for where it
//! must not be. The pack is `AXIAM_FACE_PACK`, or the one that `make models` builds.

use std::path::{Path, PathBuf};

use face::{Engine, FaceEngine};

fn main() {
    let built = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/build/default");
    let pack = std::env::var_os("AXIAM_FACE_PACK").map_or_else(built, PathBuf::from);
    let engine = Engine::load(&pack).expect("a face pack: run `make models`");
    for photo in std::env::args_os().skip(1) {
        let bytes = std::fs::read(&photo).expect("a photo that can be read");
        let template = engine.template(&bytes).expect("a photo of a face");
        let bytes = template.to_bytes();
        // The numbers are the last of the layout.
        let numbers = &bytes[bytes.len() - 4 * template.dims()..];
        let numbers: Vec<f32> = numbers
            .as_chunks::<4>()
            .0
            .iter()
            .map(|number| f32::from_le_bytes(*number))
            .collect();
        println!("{}", serde_json::json!(numbers));
    }
}
