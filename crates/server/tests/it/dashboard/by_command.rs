//! Whatever a form of the dashboard does can be done without it: the guide's table of that is complete and true.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use reqwest::Method;
use server::app;

const GUIDE: &str = include_str!("../../../../../docs/guides/dashboard.md");

/// What the table says is done in a browser alone.
const ONLY_HERE: &str = "only here";

/// A row: the forms, and what does the same.
struct Row {
    forms: Vec<String>,
    without: String,
}

/// What stands between backticks.
fn codes(cell: &str) -> Vec<String> {
    let parts = cell.split('`').skip(1).step_by(2);
    parts.map(str::to_owned).collect()
}

fn rows() -> Vec<Row> {
    let table = GUIDE.split("| | form | without it |").nth(1).unwrap();
    let lines = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            assert_eq!(cells.len(), 5, "{line}");
            assert!(!cells[1].is_empty(), "{line}");
            Row {
                forms: codes(cells[2]),
                without: cells[3].to_owned(),
            }
        })
        .collect()
}

/// The dashboard's routes that forms are sent to, as the guide names them.
fn forms() -> BTreeSet<String> {
    let routes = app::dashboard();
    let posts = routes
        .table()
        .iter()
        .filter(|route| route.method == Method::POST);
    posts
        .map(|route| {
            let path = route.path.strip_prefix("/dashboard/").unwrap();
            path.strip_prefix("apps/{site}/").unwrap_or(path).to_owned()
        })
        .collect()
}

#[test]
fn the_guide_names_every_form_and_what_does_the_same() {
    let mut named = BTreeMap::new();
    for row in rows() {
        assert!(!row.forms.is_empty() && !row.without.is_empty());
        for form in row.forms {
            let twice = named.insert(form.clone(), row.without.clone());
            assert!(twice.is_none(), "{form} is named twice");
        }
    }
    assert_eq!(named.into_keys().collect::<BTreeSet<_>>(), forms());
}

#[test]
fn what_does_the_same_is_there() {
    let contract: serde_json::Value = serde_json::from_str(&app::contract().unwrap()).unwrap();
    let mut tried = 0;
    for row in rows() {
        let codes = codes(&row.without);
        assert!(
            row.without.starts_with(ONLY_HERE) || !codes.is_empty(),
            "{}",
            row.without
        );
        for code in codes {
            if let Some(words) = code.strip_prefix("axiam ") {
                is_a_command(words);
                tried += 1;
            } else if let Some(path) = code.strip_prefix("POST ") {
                let path = format!("{}{path}", app::API);
                assert!(contract["paths"][&path]["post"].is_object(), "{code}");
            } else {
                // A value, or an option, of the command before it.
                let is_more =
                    code.starts_with("--") || code.bytes().all(|b| b.is_ascii_lowercase());
                assert!(is_more, "{code}");
            }
        }
    }
    assert!(tried > 25, "{tried}");
}

/// Whether the program knows these words and options; words in capitals, and values, stand for what the operator knows.
fn is_a_command(words: &str) {
    let is_name = |word: &&str| {
        word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') && !word.starts_with("--")
    };
    let all: Vec<&str> = words.split(' ').collect();
    let names: Vec<&str> = all
        .iter()
        .copied()
        .take_while(|word| is_name(word))
        .collect();
    let helped = Command::new(env!("CARGO_BIN_EXE_axiam"))
        .args(&names)
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8_lossy(&helped.stdout).into_owned();
    assert!(helped.status.success(), "axiam {words}");
    let usage = help
        .lines()
        .find(|line| line.starts_with("Usage:"))
        .unwrap();
    assert!(!usage.contains("<COMMAND>"), "axiam {words}: {usage}");
    for option in all.iter().filter(|word| word.starts_with("--")) {
        assert!(
            help.contains(option),
            "axiam {words}: no {option} in {help}"
        );
    }
    let wanted = usage.matches('<').count();
    let given = all.len() - names.len();
    assert!(given >= wanted.min(1), "axiam {words}: {usage}");
}
