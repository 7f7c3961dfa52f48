//! Faces on their side and upside down: turned upright or refused, never another person's.

use face::{FaceEngine, FmrLevel, Limits, PhotoError, Template, decode_photo};

use crate::photos::png;
use crate::{ENGINE, build, root};

/// Steps from upright once around, in degrees.
const STEP: usize = 15;

/// Photos of people: person and bytes. All demo photos, and where they are the first shared one of each
/// person, or with `AXIAM_FULL=1` all of them.
fn photos() -> Vec<(String, Vec<u8>)> {
    let mut folders = vec![build().join("demo-faces")];
    let shared = root().join("../shared/faces/photos");
    if shared.is_dir() {
        folders.push(shared);
    } else {
        crate::skipped("the shared photos, turned: they are not on this machine");
    }
    let all = std::env::var_os("AXIAM_FULL").is_some();
    let mut photos = Vec::new();
    for (i, folder) in folders.iter().enumerate() {
        for person in std::fs::read_dir(folder).expect("run `make models`") {
            let person = person.unwrap();
            for photo in std::fs::read_dir(person.path()).unwrap() {
                let path = photo.unwrap().path();
                if i == 0 || all || path.ends_with("01.jpg") {
                    let name = person.file_name().into_string().unwrap();
                    photos.push((name, std::fs::read(path).unwrap()));
                }
            }
        }
    }
    photos
}

/// The photo turned clockwise on a gray ground, as a PNG that says nothing of it.
fn turned(photo: &[u8], degrees: usize) -> Vec<u8> {
    let image = decode_photo(photo, &Limits::default()).unwrap();
    let (width, height) = (image.width() as f32, image.height() as f32);
    let (sin, cos) = (degrees as f32).to_radians().sin_cos();
    // The largest of these photos has less pixels than this along its side.
    let scale = (640.0 / width.hypot(height)).min(1.0);
    let side = (width * cos.abs() + height * sin.abs()).max(width * sin.abs() + height * cos.abs());
    let side = (side * scale) as usize;
    let pixel = |i: usize| {
        let (x, y) = ((i % side) as f32 + 0.5, (i / side) as f32 + 0.5);
        let (x, y) = (
            (x - side as f32 / 2.0) / scale,
            (y - side as f32 / 2.0) / scale,
        );
        let (u, v) = (
            x * cos + y * sin + width / 2.0,
            y * cos - x * sin + height / 2.0,
        );
        if u < 0.0 || v < 0.0 || u >= width || v >= height {
            return [128; 3];
        }
        let at = (v as usize * image.width() + u as usize) * 3;
        [image.data()[at], image.data()[at + 1], image.data()[at + 2]]
    };
    let rgb: Vec<u8> = (0..side * side).flat_map(pixel).collect();
    png(side as u32, side as u32, &rgb)
}

/// What became of one photo in all its turns.
#[derive(Default)]
struct Outcome {
    matched: usize,
    refused: usize,
    /// Compared with a stranger's face and taken for it.
    mistaken: Vec<String>,
    /// Not known again by their own.
    missed: Vec<String>,
}

fn turn(person: &str, photo: &[u8], upright: &[(String, Template)]) -> Outcome {
    let [lenient, usual, _] = FmrLevel::ALL.map(|level| ENGINE.pack().threshold(level));
    let own = upright.iter().filter(|(name, _)| name == person);
    let own: Vec<_> = own.map(|(_, template)| template).collect();
    let mut outcome = Outcome::default();
    for degrees in (0..360).step_by(STEP) {
        let template = match ENGINE.template(&turned(photo, degrees)) {
            Ok(template) => template,
            Err(PhotoError::Internal(e)) => panic!("{person} turned by {degrees}: {e}"),
            Err(_) => {
                outcome.refused += 1;
                continue;
            }
        };
        let to = |other: &&Template| template.distance(other).unwrap();
        let nearest = own.iter().map(to).fold(f32::MAX, f32::min);
        let others = upright.iter().filter(|(name, _)| name != person);
        let stranger = others.map(|(_, t)| to(&t)).fold(f32::MAX, f32::min);
        let said =
            format!("{person} turned by {degrees}: own {nearest:.2}, stranger {stranger:.2}");
        if stranger <= lenient {
            outcome.mistaken.push(said);
        } else if nearest > usual {
            outcome.missed.push(said);
        }
        outcome.matched += 1;
    }
    outcome
}

#[test]
fn turned_faces_match_no_stranger_and_hardly_ever_miss_their_person() {
    let photos = photos();
    let upright: Vec<(String, Template)> = photos
        .iter()
        .map(|(person, photo)| (person.clone(), ENGINE.template(&turned(photo, 0)).unwrap()))
        .collect();
    let half = photos.len().div_ceil(2);
    let work = |part: &[(String, Vec<u8>)]| -> Vec<Outcome> {
        part.iter()
            .map(|(person, photo)| turn(person, photo, &upright))
            .collect()
    };
    let work = &work;
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let workers: Vec<_> = photos
            .chunks(half)
            .map(|part| scope.spawn(move || work(part)))
            .collect();
        workers
            .into_iter()
            .flat_map(|w| w.join().unwrap())
            .collect()
    });
    let sum = |of: fn(&Outcome) -> usize| outcomes.iter().map(of).sum::<usize>();
    println!(
        "{} compared, {} refused",
        sum(|o| o.matched),
        sum(|o| o.refused)
    );
    let mistaken: Vec<&String> = outcomes.iter().flat_map(|o| &o.mistaken).collect();
    assert!(mistaken.is_empty(), "{mistaken:#?}");
    // A known gap: of 256 that were compared, 4 that stand on their heads are laid badly and cost their
    // person a try.
    let missed: Vec<&String> = outcomes.iter().flat_map(|o| &o.missed).collect();
    assert!(missed.len() * 50 <= sum(|o| o.matched), "{missed:#?}");
}
