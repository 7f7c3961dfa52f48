//! The files of the crates, and which of them each uses.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use super::uses::{self, Used};

/// A Rust file.
pub(super) struct Source {
    /// Its module path within the crate.
    pub(super) module: Vec<String>,
    /// Its path, for people.
    pub(super) shown: String,
    /// All of it.
    pub(super) text: String,
    /// The paths in it, tests left out.
    used: Vec<Used>,
}

/// The files under `crates/<name>/src`.
pub(super) struct Krate {
    pub(super) files: Vec<Source>,
    by_module: BTreeMap<Vec<String>, usize>,
}

impl Krate {
    /// Every crate of ours.
    pub(super) fn all() -> Vec<Self> {
        let mut names: Vec<String> = fs::read_dir(crates())
            .unwrap()
            .flatten()
            .filter(|entry| entry.path().join("src").is_dir())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names.iter().map(|name| Self::read(name)).collect()
    }

    pub(super) fn read(name: &str) -> Self {
        let root = crates().join(name).join("src");
        let mut paths = Vec::new();
        walk(&root, &mut paths);
        paths.sort();
        let modules: Vec<Vec<String>> = paths.iter().map(|path| module(&root, path)).collect();
        let files: Vec<Source> = paths
            .iter()
            .zip(&modules)
            .map(|(path, module)| {
                let text = fs::read_to_string(path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap();
                let children: Vec<String> = modules
                    .iter()
                    .filter(|other| other.len() == module.len() + 1 && other.starts_with(module))
                    .filter_map(|other| other.last().cloned())
                    .collect();
                Source {
                    module: module.clone(),
                    shown: path.strip_prefix(crates()).unwrap().display().to_string(),
                    used: uses::paths(code, &children),
                    text,
                }
            })
            .collect();
        let by_module = modules
            .into_iter()
            .enumerate()
            .map(|(at, module)| (module, at))
            .collect();
        Self { files, by_module }
    }

    /// The files that `file` uses. What it only hands on to others is none of its uses.
    pub(super) fn uses(&self, file: &Source) -> Vec<&Source> {
        file.used
            .iter()
            .filter(|used| !used.is_handed_on)
            .filter_map(|used| self.resolve(&file.module, &used.path, 0))
            .filter(|other| !other.module.is_empty())
            .collect()
    }

    /// The file that holds what `path` names in `module`, looked for behind names handed on.
    fn resolve(&self, module: &[String], path: &[String], depth: usize) -> Option<&Source> {
        let mut at = module.to_vec();
        let mut rest = path;
        if rest.first().is_some_and(|first| first == "crate") {
            at.clear();
            rest = &rest[1..];
        }
        while let Some((first, others)) = rest.split_first() {
            match first.as_str() {
                "self" => {}
                "super" => {
                    at.pop()?;
                }
                name => {
                    at.push(name.to_owned());
                    if !self.by_module.contains_key(&at) {
                        at.pop();
                        break;
                    }
                }
            }
            rest = others;
        }
        let file = self.by_module.get(&at).map(|at| &self.files[*at])?;
        let Some(name) = rest.first().filter(|_| depth < 8) else {
            return Some(file);
        };
        let named = file.used.iter().filter(|used| used.is_handed_on);
        let behind = named
            .filter(|used| used.path.last() == Some(name))
            .find_map(|used| self.resolve(&file.module, &used.path, depth + 1));
        behind.or(Some(file))
    }
}

/// What each of our crates depends on, but for its tests.
pub(super) fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let manifests = fs::read_dir(crates()).unwrap().flatten();
    manifests
        .filter_map(|entry| {
            let text = fs::read_to_string(entry.path().join("Cargo.toml")).ok()?;
            let chapter = text.split("\n[dependencies]\n").nth(1).unwrap_or_default();
            let lines = chapter.lines().take_while(|line| !line.starts_with('['));
            let names = lines.filter_map(|line| line.split(['.', ' ', '=']).next());
            let names = names.filter(|name| !name.is_empty() && !name.starts_with('#'));
            let name = entry.file_name().to_string_lossy().into_owned();
            Some((name, names.map(str::to_owned).collect()))
        })
        .collect()
}

fn crates() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// `a::b` for `a/b.rs` and `a/b/mod.rs`; nothing for the root of the crate.
fn module(root: &Path, path: &Path) -> Vec<String> {
    let inside = path.strip_prefix(root).unwrap().with_extension("");
    let mut parts: Vec<String> = inside
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    let is_root = parts.len() == 1 && matches!(parts[0].as_str(), "lib" | "main");
    if is_root || parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}
