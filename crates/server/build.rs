//! Takes what `make web` bundled for browsers into the program: a table of `pages::assets::Asset`s.

use std::{env, error::Error, fmt::Write, fs, path::Path};

use serde_json::Value;

/// From this crate's folder.
const BUNDLES: &str = "../../web/build";

fn main() -> Result<(), Box<dyn Error>> {
    // Asked when it runs: a copied or moved checkout must not bundle what lies in the old one.
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join(BUNDLES);
    println!("cargo::rerun-if-changed={BUNDLES}/manifest.json");
    let Ok(manifest) = fs::read(folder.join("manifest.json")) else {
        println!(
            "cargo::error=web/build/manifest.json is missing: run `make web` first (it needs Node.js), \
             which bundles what browsers get"
        );
        return Ok(());
    };
    let manifest: serde_json::Map<String, Value> = serde_json::from_slice(&manifest)?;
    let mut table = String::from("&[");
    for (name, entry) in &manifest {
        let field = |key: &str| {
            entry[key]
                .as_str()
                .ok_or_else(|| format!("web/build/manifest.json: {name} has no {key}"))
        };
        let file = field("file")?;
        let path = folder.join(file).canonicalize()?;
        let zipped = folder.join(format!("{file}.gz")).canonicalize()?;
        write!(
            table,
            "Asset {{ name: {name:?}, file: {file:?}, integrity: {:?}, kind: {:?}, \
             bytes: include_bytes!({path:?}), zipped: include_bytes!({zipped:?}) }},",
            field("integrity")?,
            field("type")?,
        )?;
    }
    table.push(']');
    let out = env::var("OUT_DIR")?;
    fs::write(Path::new(&out).join("assets.rs"), table)?;
    Ok(())
}
