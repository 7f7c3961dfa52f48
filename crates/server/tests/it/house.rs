//! Holds the walls of the house: arrows between rooms run one way, no two files use each other, and
//! no room is too full. Rooms are read from the folders.

mod circles;
mod source;
mod uses;

use std::collections::{BTreeMap, BTreeSet};

use self::source::{Krate, Source};

/// What a file of the server belongs to, from the ground up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Room {
    /// `platform/`: knows no slice and no HTTP.
    Platform,
    /// A slice's rules, rows and use cases.
    Slice(String),
    /// `http/`: the doors that all routes share.
    Doors,
    /// `pages/`: what all pages share.
    Pages,
    /// A slice's routes.
    Routes(String),
    /// A slice's pages.
    SlicePages(String),
    /// `cable/`: listens to events and asks slices.
    Cable,
    /// `app.rs` and `cli/` put everything together.
    Roof,
}

impl Room {
    fn of(path: &[String]) -> Self {
        let inside = path.get(1).map(String::as_str);
        match path[0].as_str() {
            "platform" => Self::Platform,
            "http" => Self::Doors,
            "pages" => Self::Pages,
            "cable" => Self::Cable,
            "app" | "cli" => Self::Roof,
            slice if inside == Some("http") => Self::Routes(slice.to_owned()),
            slice if inside == Some("pages") => Self::SlicePages(slice.to_owned()),
            slice => Self::Slice(slice.to_owned()),
        }
    }

    /// Whether an arrow from here to there points down. Between slices the order is whatever has no
    /// circle, which is checked apart.
    fn may_use(&self, other: &Self) -> bool {
        use Room::{Cable, Doors, Pages, Platform, Roof, Routes, Slice, SlicePages};
        match (self, other) {
            (Roof, _) => true,
            (_, Roof) => false,
            (one, other) if one == other => true,
            (_, Platform) => true,
            (Platform, _) => false,
            (Slice(_), Slice(_)) => true,
            (Slice(_), _) => false,
            (Doors, Slice(_)) => true,
            (Pages, Slice(_) | Doors) => true,
            (Routes(_), Slice(_) | Doors | Routes(_)) => true,
            (SlicePages(_), Slice(_) | Doors | Pages | Routes(_) | SlicePages(_)) => true,
            (Cable, Slice(_) | Doors) => true,
            _ => false,
        }
    }
}

fn server() -> Krate {
    Krate::read("server")
}

#[test]
fn arrows_run_one_way() {
    let server = server();
    let mut wrong = BTreeSet::new();
    let mut seen = 0;
    for file in server.files.iter().filter(|file| !file.module.is_empty()) {
        let from = Room::of(&file.module);
        for to in server.uses(file) {
            seen += 1;
            let to = Room::of(&to.module);
            if !from.may_use(&to) {
                wrong.insert(format!("{from:?} must not use {to:?} ({})", file.shown));
            }
        }
    }
    assert!(seen > 300, "the reader of imports has gone blind: {seen}");
    assert!(wrong.is_empty(), "\n{}", shown(&wrong));
}

#[test]
fn crates_know_only_what_is_below_them() {
    let known = |name: &str| -> Option<&[&str]> {
        Some(match name {
            "cable" | "phone" | "sight" => &[],
            "face" | "guide" => &["sight"],
            "recording" => &["face"],
            "lab" => &["face", "recording"],
            "server" => &["cable", "face", "lab", "phone", "recording"],
            // For tests alone, so it may join what they need.
            "testkit" => &["cable", "face", "phone", "server"],
            _ => return None,
        })
    };
    let crates = source::dependencies();
    for (name, uses) in &crates {
        let may = known(name).unwrap_or_else(|| panic!("{name} has no place in this list yet"));
        for other in uses.iter().filter(|other| crates.contains_key(*other)) {
            assert!(may.contains(&other.as_str()), "{name} must not use {other}");
        }
    }
    assert!(crates["face"].contains("sight") && crates["guide"].contains("sight"));
    // What a browser cannot run, or should not have to load.
    for heavy in ["rand", "tract-onnx", "serde_json", "jpeg-decoder"] {
        assert!(
            !crates["sight"].contains(heavy),
            "sight must not use {heavy}"
        );
        assert!(
            !crates["guide"].contains(heavy),
            "guide must not use {heavy}"
        );
    }
}

#[test]
fn slices_and_their_routes_have_an_order() {
    let server = server();
    let mut slices: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut routes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in server.files.iter().filter(|file| !file.module.is_empty()) {
        for to in server.uses(file) {
            let edge = (Room::of(&file.module), Room::of(&to.module));
            let (edges, from, to) = match edge {
                (Room::Slice(from), Room::Slice(to)) => (&mut slices, from, to),
                (Room::Routes(from), Room::Routes(to)) => (&mut routes, from, to),
                _ => continue,
            };
            if from != to {
                edges.entry(from).or_default().insert(to);
            }
        }
    }
    assert!(slices.len() > 4, "the reader of slices has gone blind");
    assert_eq!(circles::find(&slices), Vec::<String>::new());
    assert_eq!(circles::find(&routes), Vec::<String>::new());
}

#[test]
fn no_two_files_use_each_other() {
    let mut found = Vec::new();
    for krate in Krate::all() {
        let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for file in &krate.files {
            for to in krate.uses(file) {
                if to.shown != file.shown {
                    let uses = edges.entry(file.shown.clone()).or_default();
                    uses.insert(to.shown.clone());
                }
            }
        }
        found.extend(circles::find(&edges));
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn no_room_is_too_full() {
    /// Lines of the longest file, of the longest function, and of the file in the middle.
    const FILE: usize = 450;
    const FUNCTION: usize = 80;
    const MIDDLE: usize = 180;
    let mut lengths = Vec::new();
    let mut wrong = BTreeSet::new();
    for file in Krate::all().iter().flat_map(|krate| &krate.files) {
        let length = file.text.lines().count();
        lengths.push(length);
        if length > FILE {
            wrong.insert(format!("{} has {length} lines", file.shown));
        }
        for (name, length) in functions(file) {
            if length > FUNCTION {
                wrong.insert(format!("{} in {} has {length} lines", name, file.shown));
            }
        }
    }
    lengths.sort_unstable();
    assert!(lengths[lengths.len() / 2] <= MIDDLE, "files have grown");
    assert!(wrong.is_empty(), "\n{}", shown(&wrong));
}

/// The functions of a file and their lines, from the one that names them to the brace under it.
fn functions(file: &Source) -> Vec<(String, usize)> {
    let mut open: Vec<(String, String, usize)> = Vec::new();
    let mut found = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        let code = line.trim_start();
        let indent = &line[..line.len() - code.len()];
        let words: Vec<&str> = code.split_whitespace().collect();
        let keyword = words.iter().position(|word| *word == "fn");
        if let Some(at) = keyword.filter(|at| *at < 4 && !code.starts_with("//"))
            && !code.ends_with(';')
            && !code.ends_with('}')
        {
            let name = words.get(at + 1).copied().unwrap_or_default();
            let name = name.split(['(', '<']).next().unwrap_or_default();
            open.push((indent.to_owned(), name.to_owned(), number));
        }
        if code == "}" && open.last().is_some_and(|(at, _, _)| at == indent) {
            let (_, name, begun) = open.pop().unwrap();
            found.push((name, number - begun + 1));
        }
    }
    found
}

fn shown(lines: &BTreeSet<String>) -> String {
    lines.iter().cloned().collect::<Vec<_>>().join("\n")
}

#[test]
fn rooms_may_use_what_is_below_them() {
    let room = |path: &str| Room::of(&path.split("::").map(str::to_owned).collect::<Vec<_>>());
    let may = |from: &str, to: &str| room(from).may_use(&room(to));
    assert!(may("site::http", "http::guard") && !may("site::store", "http::guard"));
    assert!(may("client::store", "site") && !may("platform::keys", "site"));
    assert!(may("site::pages", "pages::layout") && !may("site::http", "pages::layout"));
    assert!(!may("device::flow", "cable") && may("cable::http", "device"));
    assert!(may("cli::serve", "app") && !may("site::http", "app"));
}
