//! Reading a file of people, as spreadsheets write it.

use csv::{ReaderBuilder, StringRecord, Trim};

use super::model::{Email, FullName};

/// Most people of one file.
pub(super) const MOST: usize = 5000;

/// Someone whom a file names.
#[derive(Debug, Clone)]
pub struct Person {
    /// How they are found.
    pub email: Email,
    /// What they are called; may be empty.
    pub full_name: FullName,
}

/// A line that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    /// Its number in the file, from 1.
    pub(super) line: u64,
    /// What is wrong, for the person who wrote it.
    pub(super) why: String,
}

/// Why nobody is made known.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// The file is none of people; a sentence.
    File(String),
    /// Some of its lines cannot be taken.
    Lines(Vec<Wrong>),
}

/// How many people a file made known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Who were not known before.
    pub made: usize,
    /// Who were, and stay as they are.
    pub known: usize,
}

/// Where a file has what.
struct Columns {
    email: usize,
    full_name: Option<usize>,
    has_names: bool,
}

impl Columns {
    /// By the first line, where that names them; else an address comes first, and a name may follow.
    fn of(first: &StringRecord) -> Self {
        let at = |names: &[&str]| {
            first.iter().position(|cell| {
                let cell = cell.to_lowercase().replace([' ', '-'], "_");
                names.contains(&cell.as_str())
            })
        };
        let email = at(&["email", "e_mail", "email_address", "e_mail_address"]);
        Self {
            email: email.unwrap_or(0),
            full_name: match email {
                Some(_) => at(&["full_name", "name"]),
                None => Some(1),
            },
            has_names: email.is_some(),
        }
    }
}

/// Reads the people in a file: comma-, semicolon- or tab-separated values in UTF-8, an address in each line, and a
/// name beside it or none. A first line may say which column is `email` and which `full_name`; others are passed over.
///
/// # Errors
/// All lines that cannot be taken, or what is wrong with the whole.
pub(super) fn read(file: &[u8]) -> Result<Vec<Person>, Unreadable> {
    let unreadable = |why: &str| Unreadable::File(why.to_owned());
    let text = std::str::from_utf8(file).map_err(|_| {
        unreadable("The file is not text in UTF-8. Save it as “CSV UTF-8”, then send it again.")
    })?;
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter(text))
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .from_reader(text.as_bytes());
    let (mut people, mut wrong) = (Vec::new(), Vec::new());
    let mut columns: Option<Columns> = None;
    for record in reader.records() {
        let record = record
            .map_err(|error| Unreadable::File(format!("The file cannot be read: {error}.")))?;
        if record.iter().all(str::is_empty) {
            continue;
        }
        let is_first = columns.is_none();
        let columns = columns.get_or_insert_with(|| Columns::of(&record));
        if is_first && columns.has_names {
            continue;
        }
        if people.len() + wrong.len() == MOST {
            let why = format!("The file has more than {MOST} people. Send it in parts.");
            return Err(Unreadable::File(why));
        }
        match person(&record, columns) {
            Ok(person) => people.push(person),
            Err(why) => wrong.push(Wrong {
                line: record.position().map_or(0, csv::Position::line),
                why,
            }),
        }
    }
    if !wrong.is_empty() {
        return Err(Unreadable::Lines(wrong));
    }
    if people.is_empty() {
        return Err(unreadable(
            "There is nobody in the file. Write an address in each line, and a name beside it.",
        ));
    }
    Ok(people)
}

fn person(record: &StringRecord, columns: &Columns) -> Result<Person, String> {
    let cell = |at: Option<usize>| at.and_then(|at| record.get(at)).unwrap_or_default();
    let email = cell(Some(columns.email)).to_owned();
    let full_name = cell(columns.full_name).to_owned();
    Ok(Person {
        email: Email::try_from(email.clone()).map_err(|why| match email.is_empty() {
            true => "has no address".to_owned(),
            false => format!("“{}” {why}", shortened(&email)),
        })?,
        full_name: FullName::try_from(full_name).map_err(|why| format!("the name {why}"))?,
    })
}

/// So much of a cell as is shown.
fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// What stands between cells: of the three that spreadsheets write, the one that the first line has most of.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().find(|line| !line.trim().is_empty());
    let first = first.unwrap_or_default().as_bytes();
    let count = |mark: u8| first.iter().filter(|byte| **byte == mark).count();
    let most = [b'\t', b';', b',']
        .into_iter()
        .max_by_key(|mark| count(*mark));
    most.unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn emails(text: &str) -> Vec<(String, String)> {
        let people = read(text.as_bytes()).unwrap();
        let shown = |person: &Person| {
            (
                person.email.as_str().to_owned(),
                person.full_name.as_str().to_owned(),
            )
        };
        people.iter().map(shown).collect()
    }

    #[test]
    fn what_spreadsheets_write_is_read() {
        let ann = ("ann@example.com".to_owned(), "Ann Lee".to_owned());
        for text in [
            "ann@example.com,Ann Lee",
            "ann@example.com;Ann Lee\r\n\r\n",
            "ann@example.com\tAnn Lee\n",
            "\u{feff}Email,Full name\nann@example.com,Ann Lee\n",
            "id;Name;E-Mail\n7;\"Ann Lee\";ann@example.com\n",
            " ann@example.com , Ann Lee \n",
        ] {
            assert_eq!(emails(text), std::slice::from_ref(&ann), "{text:?}");
        }
        let alone = emails("ann@example.com\nbob@example.com");
        assert_eq!(alone.len(), 2);
        assert_eq!(emails("email,team\nann@example.com,sales")[0].1, "");
    }

    #[test]
    fn every_wrong_line_is_named() {
        let wrong = read(b"email,name\nann@example.com,Ann\nbob\n,Carl\n").unwrap_err();
        let line = |line, why: &str| Wrong {
            line,
            why: why.to_owned(),
        };
        let expected = vec![
            line(3, "“bob” is not an e-mail address"),
            line(4, "has no address"),
        ];
        assert_eq!(wrong, Unreadable::Lines(expected));
        for whole in [
            &b""[..],
            b"\n\n",
            b"email,name\n",
            b"\xff\xfea\0",
            &b"a@b.example\n".repeat(MOST + 1),
        ] {
            assert!(matches!(read(whole), Err(Unreadable::File(_))));
        }
    }

    proptest! {
        #[test]
        fn no_file_breaks_it(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&bytes);
        }

        #[test]
        fn no_text_breaks_it(text in "[a-z@.,;\t\"\r\n ]{0,200}") {
            if let Ok(people) = read(text.as_bytes()) {
                prop_assert!(!people.is_empty());
            }
        }
    }
}
