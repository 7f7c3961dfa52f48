//! The paths that a Rust text uses.

/// A path, and whether it is only handed on to others (`pub use`).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Used {
    pub(super) path: Vec<String>,
    pub(super) is_handed_on: bool,
}

/// Every path in `text` that begins with `crate`, `super` or `self`, and in `use` declarations also
/// those that begin with one of `children`. Groups are taken apart.
pub(super) fn paths(text: &str, children: &[String]) -> Vec<Used> {
    let mut found = Vec::new();
    let text = without_comments(text);
    for statement in text.split(';') {
        let is_handed_on;
        let declared = match statement.rfind("use ") {
            Some(at) if is_declaration(&statement[..at]) => {
                is_handed_on = statement[..at].trim_end().ends_with(['b', ')']);
                Some(&statement[at + 4..])
            }
            _ => {
                is_handed_on = false;
                None
            }
        };
        if let Some(tree) = declared {
            for path in leaves(tree.trim(), &[]) {
                let first = path.first().map(String::as_str).unwrap_or_default();
                let is_ours = matches!(first, "crate" | "super" | "self");
                if is_ours || children.iter().any(|child| child == first) {
                    found.push(Used { path, is_handed_on });
                }
            }
        } else {
            found.extend(inline(statement).into_iter().map(|path| Used {
                path,
                is_handed_on: false,
            }));
        }
    }
    found
}

/// Whether what stands before `use ` lets it be a declaration: a line's beginning, or `pub`.
fn is_declaration(before: &str) -> bool {
    let line = before
        .rsplit(['\n', '}', '{'])
        .next()
        .unwrap_or_default()
        .trim();
    line.is_empty() || line == "pub" || (line.starts_with("pub(") && line.ends_with(')'))
}

fn without_comments(text: &str) -> String {
    let code = |line: &&str| !line.trim_start().starts_with("//");
    text.lines().filter(code).collect::<Vec<_>>().join("\n")
}

/// The paths of an import tree, such as `a::{b, c::{self, d}}`.
fn leaves(tree: &str, before: &[String]) -> Vec<Vec<String>> {
    let mut path = before.to_vec();
    let (stem, group) = match tree.find('{') {
        Some(at) => (&tree[..at], Some(&tree[at + 1..])),
        None => (tree, None),
    };
    let stem = stem.split(" as ").next().unwrap_or_default();
    path.extend(
        stem.split("::")
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(str::to_owned),
    );
    match group {
        None => vec![path],
        Some(group) => entries(group)
            .into_iter()
            .flat_map(|entry| match entry.trim() {
                "" => Vec::new(),
                "self" => vec![path.clone()],
                entry => leaves(entry, &path),
            })
            .collect(),
    }
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

/// Paths in the middle of code.
fn inline(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':' || c == '$') {
                continue;
            }
            let path: String = code[at..]
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':')
                .collect();
            let parts = path.split("::").filter(|part| !part.is_empty());
            found.push(parts.map(str::to_owned).collect());
        }
    }
    found
}

#[test]
fn imports_are_read_in_every_form() {
    let text = "
        use crate::{a::{b, c}, d, e::f as g};
        pub use self::h::I;
        // use crate::no;
        use j::K;
        fn l() { crate::m::n() }";
    let read: Vec<(String, bool)> = paths(text, &["j".to_owned()])
        .into_iter()
        .map(|used| (used.path.join("::"), used.is_handed_on))
        .collect();
    let expected = [
        ("crate::a::b", false),
        ("crate::a::c", false),
        ("crate::d", false),
        ("crate::e::f", false),
        ("self::h::I", true),
        ("j::K", false),
        ("crate::m::n", false),
    ];
    assert_eq!(read, expected.map(|(path, on)| (path.to_owned(), on)));
}
