//! Packs of other makes: the layouts of YuNet, SFace and ArcFace, with tiny networks that compute
//! something known. Real ones are tried in `crates/lab`.

use std::path::Path;

use face::{Engine, FaceEngine, Template};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::onnx::Graph;
use crate::photos::png;
use crate::root;

/// Side of the tiny detector's square.
const SIDE: usize = 64;
/// The photo is a square of this many pixels.
const PHOTO: usize = 640;
/// ArcFace's five points in its square of 112 pixels.
const ARCFACE: [[f32; 2]; 5] = [
    [38.2946, 51.6963],
    [73.5318, 51.5014],
    [56.0252, 71.7366],
    [41.5493, 92.3655],
    [70.7299, 92.2041],
];

/// Photo pixels per pixel of the detector's square: the finder leaves 0.35 of a margin on each side.
const STEP: f32 = PHOTO as f32 * 1.7 / SIDE as f32;

/// From ArcFace's square to the photo: the face is turned by 20 degrees and 3 times as large.
fn chip_to_photo(x: f32, y: f32) -> [f32; 2] {
    let (sin, cos) = 20.0_f32.to_radians().sin_cos();
    let (x, y) = ((x - 56.0) * 3.0, (y - 72.0) * 3.0);
    [340.0 + cos * x - sin * y, 330.0 + sin * x + cos * y]
}

/// A detector with YuNet's twelve outputs: wherever a cell of the grid of 8 pixels is blue, there is a
/// face, always at the same distance from the cell that the photo's blue spot fills.
fn yunet() -> Vec<u8> {
    // The grid's cell, and the photo's place in the middle of the square.
    let cell = [3.0_f32, 3.0];
    let in_cells = |[x, y]: [f32; 2]| {
        let to = |v: f32| ((v - PHOTO as f32 / 2.0) / STEP + SIDE as f32 / 2.0) / 8.0;
        [to(x) - cell[0], to(y) - cell[1]]
    };
    let points: Vec<f32> = ARCFACE
        .iter()
        .flat_map(|[x, y]| in_cells(chip_to_photo(*x, *y)))
        .collect();
    let [x, y] = in_cells(chip_to_photo(56.0, 72.0));
    let area = [x, y, 2.2_f32.ln(), 2.6_f32.ln()];
    let mut graph = Graph::new(&[1, 3, SIDE, SIDE])
        // Blue is the first channel of three.
        .constant("blue", &[1, 3, 1, 1], &[1.0 / 255.0, 0.0, 0.0])
        .node(
            "AveragePool",
            &["x"],
            "means",
            &[("kernel_shape", &[8, 8]), ("strides", &[8, 8])],
        )
        .node(
            "Conv",
            &["means", "blue"],
            "picked",
            &[("kernel_shape", &[1, 1])],
        )
        .integers("flat", &[1, 64, 1])
        .node("Reshape", &["picked", "flat"], "cls_8", &[]);
    let mut outputs = Vec::new();
    for (kind, fields) in [("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)] {
        for stride in [8, 16, 32] {
            let (name, cells) = (format!("{kind}_{stride}"), (SIDE / stride).pow(2));
            if name != "cls_8" {
                let one: &[f32] = match (kind, stride) {
                    ("obj", 8) => &[1.0],
                    ("bbox", 8) => &area,
                    ("kps", 8) => &points,
                    _ => &vec![0.0; fields],
                };
                let shape = [1, cells, fields];
                graph = graph
                    .constant(&format!("{name}_numbers"), &shape, &one.repeat(cells))
                    .node("Identity", &[&format!("{name}_numbers")], &name, &[]);
            }
            outputs.push((name, [1, cells, fields]));
        }
    }
    outputs
        .iter()
        .fold(graph, |g, (name, shape)| g.output(name, shape))
        .file()
}

/// A recognition network that tells how red and how green each of 8 by 8 parts of the face is.
fn recognition(side: usize, dimensions: usize) -> Vec<u8> {
    let part = side / 8;
    let area = part * part;
    let share = 1.0 / (area as f32 * 255.0);
    let mut weights = vec![0.0; dimensions / 64 * 3 * area];
    weights[..area].fill(share);
    weights[4 * area..5 * area].fill(share);
    let part = part as u64;
    Graph::new(&[1, 3, side, side])
        .constant(
            "weights",
            &[dimensions / 64, 3, part as usize, part as usize],
            &weights,
        )
        .node(
            "Conv",
            &["x", "weights"],
            "parts",
            &[("kernel_shape", &[part, part]), ("strides", &[part, part])],
        )
        .integers("flat", &[1, dimensions as i64])
        .node("Reshape", &["parts", "flat"], "fc1", &[])
        .output("fc1", &[1, dimensions])
        .file()
}

/// The manifest of a pack of YuNet and SFace, as `docs/packs.md` shows it.
fn manifest() -> Value {
    let guide = std::fs::read_to_string(root().join("docs/packs.md")).unwrap();
    let from = guide.find("```json").unwrap() + 7;
    let length = guide[from..].find("```").unwrap();
    serde_json::from_str(&guide[from..from + length]).unwrap()
}

/// A pack of tiny networks; `change` may still change its manifest.
fn pack(change: impl FnOnce(&mut Value)) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut manifest = manifest();
    manifest["detectors"][0]["input"]["side"] = json!(SIDE);
    // What is expected below is the face alone, not its mean with its mirror image.
    manifest["embedding"]["mirrored"] = json!(false);
    change(&mut manifest);
    let face = &manifest["embedding"];
    let number = |v: &Value| v.as_u64().unwrap() as usize;
    let face = recognition(number(&face["input"]["side"]), number(&face["dimensions"]));
    for (part, bytes) in [("/detectors/0", yunet()), ("/embedding", face)] {
        let part = manifest.pointer_mut(part).unwrap();
        let digest: String = Sha256::digest(&bytes)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        part["sha256"] = json!(digest);
        std::fs::write(dir.path().join(part["file"].as_str().unwrap()), bytes).unwrap();
    }
    std::fs::write(dir.path().join("manifest.json"), manifest.to_string()).unwrap();
    dir
}

fn problem(dir: &Path) -> String {
    Engine::load(dir)
        .err()
        .expect("the pack should be refused")
        .to_string()
}

/// Red grows to the right, green downwards, both with some pattern.
fn colour(x: f32, y: f32) -> [f32; 2] {
    let pattern = if ((x / 16.0).floor() + (y / 16.0).floor()) as i32 % 2 == 0 {
        25.0
    } else {
        -25.0
    };
    [30.0 + x * 0.3 + pattern, 30.0 + y * 0.3 + pattern]
}

/// The photo: the pattern, and a blue spot over the detector's cell (3, 3).
fn photo() -> Vec<u8> {
    let place = |cell: f32| (cell * 8.0 - SIDE as f32 / 2.0) * STEP + PHOTO as f32 / 2.0;
    let spot = place(3.0) - 9.0..place(4.0) + 9.0;
    let rgb: Vec<u8> = (0..PHOTO * PHOTO)
        .flat_map(|i| {
            let (x, y) = ((i % PHOTO) as f32 + 0.5, (i / PHOTO) as f32 + 0.5);
            let [red, green] = colour(x, y);
            let blue = if spot.contains(&x) && spot.contains(&y) {
                255
            } else {
                0
            };
            [red as u8, green as u8, blue]
        })
        .collect();
    png(PHOTO as u32, PHOTO as u32, &rgb)
}

/// What the tiny recognition network should make of the photo, if the face was brought into its square.
fn expected(engine: &Engine, dimensions: usize, number: impl Fn(f32) -> f32) -> Template {
    let mut values = vec![0.0; dimensions];
    for channel in 0..2 {
        for part in 0..64 {
            let (column, row) = ((part % 8) as f32, (part / 8) as f32);
            let sum: f32 = (0..14 * 14)
                .map(|i| {
                    let (x, y) = ((i % 14) as f32 + 0.5, (i / 14) as f32 + 0.5);
                    let [x, y] = chip_to_photo(column * 14.0 + x, row * 14.0 + y);
                    number(colour(x, y)[channel])
                })
                .sum();
            values[channel * 64 + part] = sum / (196.0 * 255.0);
        }
    }
    let length = values.iter().map(|v| v * v).sum::<f32>().sqrt();
    values.iter_mut().for_each(|v| *v /= length);
    Template::new(engine.pack(), true, values).unwrap()
}

#[test]
fn yunet_and_sface_find_align_and_compare() {
    let dir = pack(|_| {});
    let engine = Engine::load(dir.path()).unwrap();
    assert!(!engine.pack().landmarks68());
    assert_eq!(engine.pack().sha256().len(), 64);
    assert!(engine.pack().networks()[0].contains("detector (yunet), sees 64 x 64 pixels"));
    let template = engine.template(&photo()).unwrap();
    let distance = template.distance(&expected(&engine, 128, |v| v)).unwrap();
    assert!(distance < 0.02, "{distance}");
}

#[test]
fn arcface_networks_get_their_colours_and_numbers() {
    // Of 512 numbers, as ArcFace has; red and green are the first two channels here as well.
    let dir = pack(|manifest| {
        manifest["embedding"]["dimensions"] = json!(512);
        manifest["embedding"]["input"] = json!({ "side": 112, "channels": "rgb", "mean": [127.5, 127.5, 127.5], "scale": 0.00784313725490196 });
    });
    let engine = Engine::load(dir.path()).unwrap();
    let template = engine.template(&photo()).unwrap();
    let wanted = expected(&engine, 512, |v| (v - 127.5) / 127.5);
    let distance = template.distance(&wanted).unwrap();
    assert!(distance < 0.04, "{distance}");
    // In the wrong order of colours the network sees no red but the blue spot.
    let swapped = pack(|manifest| {
        manifest["embedding"]["input"]["channels"] = json!("bgr");
    });
    let engine = Engine::load(swapped.path()).unwrap();
    let template = engine.template(&photo()).unwrap();
    assert!(template.distance(&expected(&engine, 128, |v| v)).unwrap() > 0.5);
}

#[test]
fn what_does_not_fit_together_is_refused_with_a_sentence() {
    let refused = |change: fn(&mut Value), words: &str| {
        let problem = problem(pack(change).path());
        assert!(
            problem.contains(words) && problem.contains(".json"),
            "{problem}"
        );
    };
    refused(
        |m| m["embedding"]["alignment"] = json!({ "kind": "dlib", "padding": 0.25 }),
        "68 points of a landmark network",
    );
    refused(
        |m| m["detectors"][0]["kind"] = json!("ssd"),
        "neither by a landmark network nor by every detector",
    );
    refused(
        |m| m["detectors"][0]["kind"] = json!("retina"),
        "unknown variant `retina`",
    );
    refused(
        |m| m["detectors"][0]["input"]["side"] = json!(100),
        "side of 100, which is no multiple of 32",
    );
    refused(
        |m| m["detectors"][0]["scores"] = json!({ "faint": 0.5, "face": 0.4, "sure": 0.9 }),
        "scores that do not rise",
    );
    refused(
        |m| m["detectors"][0]["anchors"] = json!([[1.0, 1.0]]),
        "some anchors",
    );
    refused(
        |m| m["embedding"]["input"]["channels"] = json!("gbr"),
        "unknown variant `gbr`",
    );
    refused(
        |m| m["embedding"]["input"]["scale"] = json!([1.0, 0.0, 1.0]),
        "scale that makes no numbers",
    );
    refused(
        |m| m["thresholds"] = json!({ "1/1000": 1.42, "1/10000": 1.2, "1/100000": 1.1 }),
        "never farther apart than 2",
    );
    refused(
        |m| m["thresholds"] = json!({ "1/1000": 1.0, "1/10000": 1.1, "1/100000": 1.2 }),
        "thresholds above 0 that fall",
    );
}

#[test]
fn networks_of_another_layout_are_refused_by_name() {
    // The detector's outputs are those of 64 pixels, whatever the manifest says.
    let dir = pack(|m| m["embedding"]["dimensions"] = json!(192));
    let path = dir.path().join("manifest.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("192", "128")).unwrap();
    let problem = problem(dir.path());
    assert!(
        problem.contains(
            "face_recognition_sface_2021dec.onnx gives [1, 192] where [1, 128] is expected"
        ),
        "{problem}"
    );
}
