//! `axiam phone` with what people give it: videos, folders, and what is neither.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::json;

use crate::served::{Served, Site, axiam};

/// Tries that a person has, and a test.
const TRIES: usize = 3;

/// A server, a site that asks everybody to move, and a phone of one of its clients.
struct World {
    served: Served,
    site: Site,
    client: String,
}

impl World {
    async fn new(without: &str) -> Self {
        let served = Served::start(|_| {});
        let site = served.site().await;
        let client = site.client("ann@example.com").await;
        let world = Self {
            site,
            client,
            served,
        };
        let (id, link) = (world.site.id.clone(), world.site.link(&world.client).await);
        world.must(&["site", "set", &id, "liveness=active"]);
        let pair = ["phone", "pair", &link, "--without", without];
        world.must(if without.is_empty() {
            &pair[..3]
        } else {
            &pair
        });
        world
    }

    /// Whether a command succeeds, and all that it says.
    fn run(&self, arguments: &[&str]) -> (bool, String) {
        let output = axiam(&self.served.data).args(arguments).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(!said.contains("panicked"), "{said}");
        (output.status.success(), said)
    }

    fn must(&self, arguments: &[&str]) -> String {
        let (succeeds, said) = self.run(arguments);
        assert!(succeeds, "{arguments:?}: {said}");
        said
    }

    fn refused(&self, arguments: &[&str]) -> String {
        let (succeeds, said) = self.run(arguments);
        assert!(!succeeds, "{arguments:?}: {said}");
        said
    }

    /// What was said where one of the tries that a person has succeeds.
    fn soon(&self, arguments: &[&str]) -> String {
        let mut all = String::new();
        for _ in 0..TRIES {
            let (succeeds, said) = self.run(arguments);
            all.push_str(&said);
            if succeeds {
                return all;
            }
        }
        panic!("{arguments:?}: {all}");
    }

    /// Asks the person to sign on; the number that the page shows.
    async fn push(&self) -> String {
        let body = json!({ "id": self.client });
        let answer = self.site.post("/login/push_notification", body).await;
        answer.data()["number"].to_string()
    }

    /// An empty folder.
    fn folder(&self, name: &str) -> PathBuf {
        let folder = self.served.data.join(name);
        fs::create_dir(&folder).unwrap();
        folder
    }
}

fn ffmpeg(arguments: &[&str], to: &Path) {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg
        .args(["-v", "error", "-nostdin", "-y"])
        .args(arguments)
        .arg(to);
    assert!(ffmpeg.status().unwrap().success(), "{arguments:?}");
}

fn has_ffmpeg() -> bool {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg
        .arg("-version")
        .stdout(Stdio::null())
        .status()
        .is_ok()
}

/// A recording of a person who talks and makes faces; `None`, and said, where there is none.
fn recording(name: &str) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let file = root.join("../shared/faces/videos").join(name);
    if !has_ffmpeg() {
        testkit::skipped("ffmpeg, which reads recordings, is not installed");
    } else if !file.is_file() {
        testkit::skipped("no ../shared/faces/videos beside the repository");
    } else {
        return Some(file.to_str().unwrap().to_owned());
    }
    None
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A face from the face pack's own photos, which never moves.
fn photo() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join("models/build/demo-faces/person1/01.jpg")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_enrols_by_a_video() {
    let Some(video) = recording("d.mp4") else {
        return;
    };
    // All that the person does in it.
    let world = World::new("come_closer").await;
    let said = world.soon(&["phone", "enrol", &video]);
    let shown = "shows: turn_left, turn_right, look_up, blink, open_mouth; not: come_closer";
    assert!(said.contains(shown), "{said}");
    // What was sent is remembered, for this user alone.
    let sent = world.served.data.join("phone.json.sent");
    assert!(fs::read_to_string(&sent).unwrap().lines().count() >= 3);
    assert_eq!(
        fs::metadata(&sent).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_signs_on_by_the_frames_of_a_video_until_all_were_sent() {
    let Some(video) = recording("b.mp4") else {
        return;
    };
    let world = World::new("come_closer,look_up").await;
    let set = |liveness| world.must(&["site", "set", &world.site.id, liveness]);
    set("liveness=off");
    world.must(&["phone", "enrol", &video]);
    set("liveness=active");
    let frames = world.folder("frames");
    let larger = ["-i", &video, "-vf", "fps=10,scale=1280:-2"];
    ffmpeg(&larger, &frames.join("%04d.jpg"));
    let (given, number) = (text(&frames), world.push().await);
    let said = world.soon(&["phone", "scan", given, "--number", &number]);
    assert!(said.contains("verified"), "{said}");
    // Whatever is asked for next, sooner or later it was sent.
    for _ in 0..4 {
        let number = world.push().await;
        for _ in 0..TRIES {
            let (_, said) = world.run(&["phone", "scan", given, "--number", &number]);
            if said.contains("sent before: ") {
                return;
            }
        }
    }
    panic!("frames without end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_video_in_which_nobody_moves_is_refused_before_anything_is_sent() {
    if !has_ffmpeg() {
        return testkit::skipped("ffmpeg, which reads recordings, is not installed");
    }
    let world = World::new("").await;
    let video = world.served.data.join("still.mp4");
    let photo = photo();
    let still = [
        "-loop",
        "1",
        "-i",
        text(&photo),
        "-t",
        "1",
        "-pix_fmt",
        "yuv420p",
        "-vf",
        "scale=320:-2",
    ];
    ffmpeg(&still, &video);
    for _ in 0..2 {
        let said = world.refused(&["phone", "enrol", text(&video)]);
        for words in [
            "shows: nothing; not: turn_left,",
            "no photo shows a turn of the head",
            "Nothing was asked or sent",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
    }
    // Where nobody is asked to move, it is a photo like another.
    world.must(&["site", "set", &world.site.id, "liveness=off"]);
    world.must(&["phone", "enrol", text(&video)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_challenge_asks_for_and_no_photo_shows_is_said_with_what_to_do() {
    let world = World::new("turn_left,turn_right,open_mouth").await;
    let album = world.folder("album");
    // Of look_up, blink and come_closer each challenge asks for the first two.
    for action in ["look_straight", "blink", "turn_left"] {
        fs::copy(photo(), album.join(format!("{action}-1.jpg"))).unwrap();
    }
    for _ in 0..2 {
        let said = world.refused(&["phone", "enrol", text(&album)]);
        assert!(said.contains("no photo shows "), "{said}");
        for words in [
            "look_up",
            "Nothing was sent",
            "no try is counted",
            "--without",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
    }
    let link = world.site.link(&world.client).await;
    let said = world.refused(&["phone", "pair", "--replace", &link, "--without", "dance"]);
    assert!(said.contains("1006"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_recording_is_refused_with_a_reason() {
    let world = World::new("").await;
    let data = &world.served.data;
    let write = |name: &str, bytes: &[u8]| {
        let file = data.join(name);
        fs::write(&file, bytes).unwrap();
        file
    };
    let many = world.folder("many");
    for number in 0..601 {
        fs::write(many.join(format!("{number}.jpg")), "").unwrap();
    }
    let mixed = world.folder("mixed");
    fs::copy(photo(), mixed.join("0001.jpg")).unwrap();
    fs::write(mixed.join("0002.jpg"), "no photo").unwrap();
    let faceless = world.folder("faceless");
    let grey = [b"P6 ".as_slice(), b"8 8 255\n", &[128; 192]].concat();
    fs::write(faceless.join("1.ppm"), grey).unwrap();
    let circle = world.folder("circle");
    symlink(&circle, circle.join("look_straight")).unwrap();
    symlink(data.join("loop"), data.join("loop")).unwrap();
    symlink("/dev/zero", data.join("zero.mp4")).unwrap();
    let pipe = data.join("pipe.jpg");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let huge = data.join("huge.mp4");
    fs::File::create(&huge)
        .unwrap()
        .set_len(501_000_000)
        .unwrap();
    let large = data.join("large.jpg");
    fs::File::create(&large)
        .unwrap()
        .set_len(13_000_000)
        .unwrap();
    for (given, words) in [
        (many, "more than 600 files"),
        (mixed, "0002.jpg: "),
        (faceless, "1.ppm: "),
        (world.folder("empty"), "nothing is in it"),
        (circle, "cannot be read: is a directory"),
        (data.join("loop"), "cannot be read: "),
        (data.join("zero.mp4"), "neither a file nor a folder"),
        (data.join("nowhere.mp4"), "cannot be read: No such file"),
        (PathBuf::from("/dev/zero"), "neither a file nor a folder"),
        (pipe, "neither a file nor a folder"),
        (huge, "more than 500 MB"),
        (large, "more than 12 MB"),
        (write("notes.txt", b"no photo"), "neither a photo (JPEG"),
        (write("nothing.jpg", b""), "neither a photo (JPEG"),
    ] {
        let said = world.refused(&["phone", "enrol", text(&given)]);
        assert!(said.contains(words), "{}: {said}", given.display());
    }
    let thirteen = photo();
    let mut arguments = vec!["phone", "scan"];
    arguments.extend([text(&thirteen); 13]);
    let said = world.refused(&arguments);
    assert!(said.contains("at most 12 photos"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_video_is_refused_with_a_reason() {
    let world = World::new("").await;
    let data = &world.served.data;
    let noise = data.join("noise.mp4");
    fs::write(&noise, [7; 4096]).unwrap();
    let output = axiam(data)
        .args(["phone", "enrol", text(&noise)])
        .env("PATH", "/nowhere")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("ffmpeg is needed to read videos"), "{said}");
    if !has_ffmpeg() {
        return testkit::skipped("ffmpeg, which reads recordings, is not installed");
    }
    let long = data.join("long.mp4");
    ffmpeg(
        &["-f", "lavfi", "-i", "color=size=16x16:rate=1:duration=3600"],
        &long,
    );
    let whole = fs::read(&long).unwrap();
    let cut = data.join("cut.mp4");
    fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let sound = data.join("sound.mkv");
    ffmpeg(&["-f", "lavfi", "-i", "sine=duration=1"], &sound);
    let nobody = data.join("-nobody.mp4");
    ffmpeg(&["-f", "lavfi", "-i", "testsrc=duration=1"], &nobody);
    // One that leads elsewhere, by another protocol than that of files.
    let list = data.join("list.mp4");
    fs::write(
        &list,
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n",
    )
    .unwrap();
    for (given, words) in [
        (&noise, "ffmpeg cannot read it ("),
        (&long, "longer than 60 seconds"),
        (&cut, "ffmpeg cannot read it ("),
        (&sound, "ffmpeg cannot read it"),
        (&nobody, "no frame shows one face"),
        (&list, "ffmpeg cannot read it"),
    ] {
        let said = world.refused(&["phone", "enrol", text(given)]);
        assert!(said.contains(words), "{}: {said}", given.display());
    }
}
