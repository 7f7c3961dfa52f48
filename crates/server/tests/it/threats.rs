//! `docs/threats.md` and `docs/requirements.md` name a test for whatever they say is met, each of them exists, and no
//! requirement is left out.

use std::{collections::BTreeSet, path::PathBuf};

use axum::{Router, routing::get};
use serde_json::Value;
use server::http::request::panicked;
use tower_http::catch_panic::CatchPanicLayer;

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// One row of a table: its cells, and the heading that it stands under.
struct Row {
    heading: String,
    cells: Vec<String>,
}

fn rows() -> Vec<Row> {
    let read = |name: &str| std::fs::read_to_string(root().join("docs").join(name)).unwrap();
    let text = format!("{}\n{}", read("threats.md"), read("requirements.md"));
    let (mut heading, mut rows, mut is_head) = (String::new(), Vec::new(), true);
    for line in text.lines() {
        if let Some(title) = line.strip_prefix('#') {
            title
                .trim_start_matches('#')
                .trim()
                .clone_into(&mut heading);
        }
        let Some(inside) = line
            .strip_prefix("| ")
            .and_then(|line| line.strip_suffix('|'))
        else {
            is_head = true;
            continue;
        };
        let cells: Vec<String> = inside
            .split(" |")
            .map(|cell| cell.trim().to_owned())
            .collect();
        let is_rule = cells[0].starts_with("---");
        if !is_head && !is_rule {
            rows.push(Row {
                heading: heading.clone(),
                cells,
            });
        }
        is_head = false;
    }
    rows
}

/// The tests that a cell names, as file and function.
fn tests(cell: &str) -> Vec<(String, String)> {
    let named = cell.split('`').filter_map(|part| part.split_once("::"));
    named
        .map(|(file, test)| (file.to_owned(), test.to_owned()))
        .collect()
}

#[test]
fn every_test_that_is_named_exists() {
    let mut seen = BTreeSet::new();
    for row in rows() {
        let last = row.cells.last().unwrap();
        for (file, test) in tests(last) {
            let path = match file.strip_suffix(".rs") {
                Some(_) => root().join(&file),
                None => root().join(format!("crates/server/tests/it/{file}.rs")),
            };
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                text.contains(&format!("fn {test}(")),
                "{file}::{test} ({}) is not there",
                row.cells[0]
            );
            seen.insert((file, test));
        }
        let quotes = last.matches('`').count();
        assert_eq!(
            quotes,
            tests(last).len() * 2,
            "what is named is no test: {last}"
        );
    }
    assert!(
        seen.len() > 60,
        "the reader of the page has gone blind: {}",
        seen.len()
    );
}

#[test]
fn every_row_says_whether_it_is_met_and_why_not() {
    for row in rows() {
        let (name, tests) = (&row.cells[0], tests(row.cells.last().unwrap()));
        if row.heading == "Attacks" {
            assert_eq!(row.cells.len(), 3, "{name}");
            assert!(!tests.is_empty(), "{name} names no test");
            continue;
        }
        assert_eq!(row.cells.len(), 4, "{name}");
        let (here, why) = (row.cells[1].as_str(), &row.cells[2]);
        match here {
            "met" => assert!(!tests.is_empty(), "{name} is met and names no test"),
            "in part" => assert!(!tests.is_empty() && !why.is_empty(), "{name}"),
            "not met" | "none" => assert!(!why.is_empty(), "{name} does not say why"),
            "the site's" => {}
            other => panic!("{name}: {other:?}"),
        }
    }
}

/// How many requirements each section of the ASVS has.
const SECTIONS: [(&str, u32); 24] = [
    ("4.4", 4),
    ("6.1", 3),
    ("6.2", 12),
    ("6.3", 8),
    ("6.4", 6),
    ("6.5", 8),
    ("6.6", 4),
    ("6.7", 2),
    ("6.8", 4),
    ("7.1", 3),
    ("7.2", 4),
    ("7.3", 2),
    ("7.4", 5),
    ("7.5", 3),
    ("7.6", 2),
    ("9.1", 3),
    ("9.2", 4),
    ("16.1", 1),
    ("16.2", 5),
    ("16.3", 4),
    ("16.4", 3),
    ("16.5", 4),
    ("3.1.3", 0),
    ("3.2.3", 0),
];

#[test]
fn no_requirement_is_left_out() {
    let named: Vec<String> = rows().into_iter().map(|row| row.cells[0].clone()).collect();
    let is_there = |number: &str| {
        named
            .iter()
            .any(|name| name.split([' ', ':', ',']).next() == Some(number))
    };
    let ranges: Vec<(&str, &str)> = named
        .iter()
        .filter_map(|name| name.split(' ').next()?.split_once('–'))
        .collect();
    for (section, count) in SECTIONS {
        if count == 0 {
            assert!(
                named.iter().any(|name| name.starts_with(section)),
                "{section}"
            );
        }
        let whole = (format!("{section}.1"), format!("{section}.{count}"));
        let is_whole = ranges.contains(&(whole.0.as_str(), whole.1.as_str()));
        for number in 1..=count {
            let number = format!("{section}.{number}");
            assert!(is_whole || is_there(&number), "{number} has no row");
        }
    }
    for number in [
        "4.1", "4.1.2.1", "4.1.2.2", "4.1.3", "4.1.4", "4.2", "4.3", "4.4", "4.5", "4.6",
    ] {
        assert!(is_there(number), "{number} has no row");
    }
}

#[tokio::test]
async fn a_panic_is_an_answer_and_no_end() {
    async fn fails() -> &'static str {
        panic!("the secret words")
    }
    let router = Router::new()
        .route("/fails", get(fails))
        .route("/works", get(async || "yes"))
        .layer(CatchPanicLayer::custom(panicked));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let answer = reqwest::get(format!("{url}/fails")).await.unwrap();
    assert_eq!(answer.status(), 500);
    let text = answer.text().await.unwrap();
    let envelope: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(envelope["code"], 5000);
    assert!(!text.contains("secret words"), "{text}");
    let other = reqwest::get(format!("{url}/works")).await.unwrap();
    assert_eq!(other.text().await.unwrap(), "yes");
}
