//! Holds the house's walls: which module of the server may use which.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Slices from the top down; each may use those below it.
const SLICES: &[&[&str]] = &[
    &["sign_on"],
    &["push", "face"],
    &["device"],
    &["enrolment"],
    &["client"],
    &["site"],
    &["audit", "limit"],
];

/// What every slice may stand on. None of these uses a slice.
const GROUND: &[&str] = &[
    "bell", "clock", "config", "db", "engine", "events", "keys", "secret", "state",
];

/// Where HTTP is spoken: above all slices, called by none.
const DOORS: &[&str] = &["error", "extract", "guard", "linger", "request", "token"];

/// Puts things together; used by nobody but the program itself.
const ROOF: &[&str] = &[
    "app",
    "cable",
    "cli",
    "health",
    "listen",
    "pages",
    "phone",
    "telemetry",
];

/// Exceptions, each with its reason.
const ALLOWED: &[(&str, &str)] = &[
    // A token speaks for a site: the guard's reader of tokens loads the row.
    ("token", "site"),
    // The command line's phone calls the API under the path that the app gives it.
    ("phone", "app"),
    // What a page is told carries the contract's codes, over the cable as over HTTP.
    ("sign_on", "error"),
];

fn slice_rank(module: &str) -> Option<usize> {
    SLICES.iter().position(|row| row.contains(&module))
}

fn may(from: &str, to: &str) -> bool {
    let is_http = from.ends_with("/http");
    let from = from.trim_end_matches("/http");
    if from == to || ALLOWED.contains(&(from, to)) || GROUND.contains(&to) {
        return !GROUND.contains(&from) || GROUND.contains(&to);
    }
    if ROOF.contains(&from) {
        return true;
    }
    if DOORS.contains(&from) || is_http {
        return DOORS.contains(&to) || slice_rank(to).is_some();
    }
    match (slice_rank(from), slice_rank(to)) {
        (Some(from), Some(to)) => from < to,
        _ => false,
    }
}

/// `slice` or `slice/http` for a file of the server.
fn room(file: &Path) -> String {
    let inside: Vec<&str> = file.iter().filter_map(|part| part.to_str()).collect();
    let module = inside[0].trim_end_matches(".rs");
    let is_http = inside
        .get(1)
        .is_some_and(|part| part.trim_end_matches(".rs") == "http");
    if is_http {
        format!("{module}/http")
    } else {
        module.to_owned()
    }
}

/// The modules that a text uses through `crate::`, also in grouped imports.
fn uses(text: &str) -> BTreeSet<String> {
    let name = |entry: &str| -> String {
        let entry = entry.trim_start();
        entry
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let mut found = BTreeSet::new();
    for (at, start) in text.match_indices("crate::") {
        let rest = &text[at + start.len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(entries(group).into_iter().map(name)),
            None => {
                found.insert(name(rest));
            }
        }
    }
    found.remove("");
    found
}

/// The entries of an import group, up to the brace that closes it.
fn entries(group: &str) -> Vec<&str> {
    let (mut depth, mut begin, mut found) = (0, 0, Vec::new());
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                found.push(&group[begin..at]);
                begin = at + 1;
                if character == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    found
}

fn walk(dir: &Path, root: &Path, edges: &mut BTreeMap<(String, String), String>) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, root, edges);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let inside = path.strip_prefix(root).unwrap();
            if matches!(inside.to_str(), Some("lib.rs" | "main.rs")) {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            for to in uses(code) {
                edges.insert((room(inside), to), inside.display().to_string());
            }
        }
    }
}

#[test]
fn arrows_run_one_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let modules: BTreeSet<String> = fs::read_dir(&root)
        .unwrap()
        .flatten()
        .map(|entry| {
            entry
                .file_name()
                .to_string_lossy()
                .trim_end_matches(".rs")
                .to_owned()
        })
        .collect();
    let mut edges = BTreeMap::new();
    walk(&root, &root, &mut edges);
    assert!(edges.len() > 60, "the reader of imports has gone blind");
    let wrong: Vec<String> = edges
        .iter()
        .filter(|((from, to), _)| modules.contains(to) && !may(from, to))
        .map(|((from, to), file)| format!("{from} must not use {to} ({file})"))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_module_has_its_place() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(root).unwrap().flatten() {
        let name = entry
            .file_name()
            .to_string_lossy()
            .trim_end_matches(".rs")
            .to_owned();
        let placed = slice_rank(&name).is_some()
            || [GROUND, DOORS, ROOF]
                .iter()
                .any(|row| row.contains(&name.as_str()))
            || matches!(name.as_str(), "lib" | "main");
        assert!(placed, "{name} has no place in the house");
    }
}

#[test]
fn imports_are_read_in_every_form() {
    let text = "use crate::{a::{b, c}, d, e::f}; use crate::g::h; fn i() { crate::j::k() }";
    let expected = ["a", "d", "e", "g", "j"].map(str::to_owned);
    assert_eq!(uses(text), BTreeSet::from(expected));
    assert!(!may("site", "client") && may("client", "site") && !may("device", "cable"));
    assert!(may("site/http", "guard") && !may("site", "guard") && !may("keys", "site"));
}
