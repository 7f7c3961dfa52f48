//! Finds parts of pages by their words.

use super::document::Document;

/// At most so many parts are shown.
const MOST: usize = 20;
/// Characters of text shown around the first word found.
const AROUND: usize = 90;

/// A part of a page that has the words.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) document: &'a Document,
    /// The part's id; empty for the page's beginning.
    pub(super) id: &'a str,
    pub(super) heading: &'a str,
    /// Text before, at and after the first word found.
    pub(super) before: String,
    pub(super) word: String,
    pub(super) after: String,
}

/// The parts that have all these words, or beginnings of words; best first.
pub(super) fn search<'a>(documents: &'a [Document], words: &str) -> Vec<Found<'a>> {
    let terms: Vec<String> = split(words)
        .map(|(_, word)| word.to_lowercase())
        .take(8)
        .collect();
    if terms.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<(usize, Found<'a>)> = Vec::new();
    for document in documents {
        for section in &document.rendered.sections {
            let heading = section.heading.to_lowercase();
            let text = section.text.to_lowercase();
            let title = document.title().to_lowercase();
            let worth = |term: &String| {
                12 * count(&heading, term) + 4 * count(&title, term) + count(&text, term).min(6)
            };
            if terms
                .iter()
                .any(|term| count(&heading, term) + count(&text, term) == 0)
            {
                continue;
            }
            let (before, word, after) = around(&section.text, &terms);
            let part = Found {
                document,
                id: &section.id,
                heading: &section.heading,
                before,
                word,
                after,
            };
            found.push((terms.iter().map(worth).sum(), part));
        }
    }
    found.sort_by_key(|(worth, _)| std::cmp::Reverse(*worth));
    found.into_iter().map(|(_, part)| part).take(MOST).collect()
}

/// The words of a text and where each begins.
fn split(text: &str) -> impl Iterator<Item = (usize, &str)> {
    const BETWEEN: fn(char) -> bool = |sign| !sign.is_alphanumeric() && sign != '_';
    let pieces = text.split_inclusive(BETWEEN).scan(0, |at, piece| {
        let begins = *at;
        *at += piece.len();
        Some((begins, piece.trim_end_matches(BETWEEN)))
    });
    pieces.filter(|(_, word)| !word.is_empty())
}

/// How many words of a text begin with the term; parts of `names_like_this` are words too.
fn count(text: &str, term: &str) -> usize {
    split(text)
        .filter(|(_, word)| {
            word.starts_with(term) || word.split('_').any(|part| part.starts_with(term))
        })
        .count()
}

fn around(text: &str, terms: &[String]) -> (String, String, String) {
    let first = split(text).find(|(_, word)| {
        let word = word.to_lowercase();
        terms.iter().any(|term| count(&word, term) > 0)
    });
    let Some((begins, word)) = first else {
        return (
            text.chars().take(2 * AROUND).collect(),
            String::new(),
            String::new(),
        );
    };
    let (before, rest) = text.split_at(begins);
    let kept = before.chars().count().saturating_sub(AROUND);
    let before: String = before.chars().skip(kept).collect();
    let before = if kept > 0 {
        format!("…{before}")
    } else {
        before
    };
    let after = &rest[word.len()..];
    let mut shown: String = after.chars().take(AROUND).collect();
    if shown.len() < after.len() {
        shown.push('…');
    }
    (before, word.to_owned(), shown)
}
