//! `multipart/form-data` (RFC 7578, RFC 2046) of which all bytes are already here.
//!
//! Parts are places in the body, not copies of it: a form of twelve photos costs no memory beside
//! the bytes that came, and there is one buffer to wipe.

use std::ops::Range;

use memchr::memmem::Finder;

/// Most bytes of the headers of one part.
const HEADERS: usize = 8 * 1024;
/// Most characters of a boundary (RFC 2046, 5.1.1).
const LONGEST: usize = 70;

/// A part of a form.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// What `Content-Disposition` names it; empty if it does not.
    pub(super) name: String,
    /// Where its content lies in the body.
    pub(super) content: Range<usize>,
}

/// The boundary that a content type announces.
pub(super) fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameter(parameters, "boundary")?;
    let is_known = |b: u8| b.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&b);
    let fits = (1..=LONGEST).contains(&boundary.len()) && !boundary.ends_with(' ');
    (fits && boundary.bytes().all(is_known)).then_some(boundary)
}

/// The parts of a body, at most `most`.
///
/// # Errors
/// A sentence's end, said of the body.
pub(super) fn parts(body: &[u8], boundary: &str, most: usize) -> Result<Vec<Part>, String> {
    const BROKEN_OFF: &str = "ends before its last boundary";
    let delimiter = format!("\r\n--{boundary}");
    let finder = Finder::new(delimiter.as_bytes());
    // The first boundary needs no line before it.
    let mut at = if body.starts_with(&delimiter.as_bytes()[2..]) {
        delimiter.len() - 2
    } else {
        finder.find(body).ok_or("has no boundary")? + delimiter.len()
    };
    let mut parts = Vec::new();
    loop {
        let rest = &body[at..];
        if rest.starts_with(b"--") {
            return Ok(parts);
        }
        let padding = rest
            .iter()
            .take_while(|b| matches!(b, b' ' | b'\t'))
            .count();
        at += padding;
        if !body[at..].starts_with(b"\r\n") {
            return Err(if body.len() - at < 2 {
                BROKEN_OFF.to_owned()
            } else {
                "has something after a boundary".to_owned()
            });
        }
        if parts.len() == most {
            return Err(format!("has more than {most} parts"));
        }
        let (name, start) = headers(body, at + 2)?;
        // An empty content's boundary begins with the line end that ends the headers.
        let end = start - 2 + finder.find(&body[start - 2..]).ok_or(BROKEN_OFF)?;
        parts.push(Part {
            name,
            content: start.min(end)..end,
        });
        at = end + delimiter.len();
    }
}

/// The name in the headers that begin at `from`, and where the content begins.
fn headers(body: &[u8], from: usize) -> Result<(String, usize), String> {
    let mut name = String::new();
    let mut at = from;
    loop {
        let within = &body[at..body.len().min(from + HEADERS)];
        let end = memchr::memmem::find(within, b"\r\n").ok_or("has headers without an end")?;
        let line = &within[..end];
        at += end + 2;
        if line.is_empty() {
            return Ok((name, at));
        }
        let line = std::str::from_utf8(line).map_err(|_| "has headers that are not text")?;
        let (field, value) = line.split_once(':').ok_or("has a header without a colon")?;
        if field.trim().eq_ignore_ascii_case("content-disposition") {
            let (kind, parameters) = value.split_once(';').unwrap_or((value, ""));
            if !kind.trim().eq_ignore_ascii_case("form-data") {
                return Err("has a part that is not form-data".to_owned());
            }
            name = parameter(parameters, "name").unwrap_or_default();
        }
    }
}

/// A parameter's value, quoted or not.
fn parameter(mut text: &str, wanted: &str) -> Option<String> {
    loop {
        let (name, rest) = text.split_once('=')?;
        let name = name.trim_start_matches([';', ' ', '\t']).trim();
        let rest = rest.trim_start();
        let (value, rest) = match rest.strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => {
                let end = rest.find(';').unwrap_or(rest.len());
                (rest[..end].trim().to_owned(), &rest[end..])
            }
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        text = rest;
    }
}

/// A quoted value without its escapes, and what follows its end.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            // Browsers write %22 for a quote in a name, others put a backslash before it.
            '\\' => match characters.next()? {
                (_, escaped @ ('"' | '\\')) => value.push(escaped),
                (_, other) => value.extend(['\\', other]),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use proptest::prelude::*;

    use super::*;

    type Content = (String, Vec<u8>);

    fn read(body: &[u8]) -> Result<Vec<Content>, String> {
        let parts = parts(body, "x", 16)?;
        let content = |part: Part| (part.name, body[part.content].to_vec());
        Ok(parts.into_iter().map(content).collect())
    }

    /// What a reader written by others makes of it.
    fn reference(body: &[u8]) -> Result<Vec<Content>, multer::Error> {
        let whole = bytes::Bytes::copy_from_slice(body);
        let stream = stream::iter([Ok::<_, Infallible>(whole)]);
        let mut form = multer::Multipart::new(stream, "x");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut parts = Vec::new();
            while let Some(field) = form.next_field().await? {
                let name = field.name().unwrap_or_default().to_owned();
                parts.push((name, field.bytes().await?.to_vec()));
            }
            Ok(parts)
        })
    }

    fn written(parts: &[Content]) -> Vec<u8> {
        let mut body = Vec::new();
        for (name, content) in parts {
            let head = "--x\r\nContent-Disposition: form-data; name=";
            body.extend(format!("{head}\"{name}\"; filename=\"a;b.jpg\"\r\n\r\n").bytes());
            body.extend(content);
            body.extend(b"\r\n");
        }
        body.extend(b"--x--\r\n");
        body
    }

    #[test]
    fn boundaries_are_found_in_content_types() {
        for (content_type, expected) in [
            ("multipart/form-data; boundary=abc", Some("abc")),
            (
                "Multipart/Form-Data;charset=utf-8; BOUNDARY=\"a b'c\"",
                Some("a b'c"),
            ),
            (
                "multipart/form-data; a=\"x;boundary=no\"; boundary=yes",
                Some("yes"),
            ),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data; boundary=\"a", None),
            ("multipart/form-data; boundary=a\u{e9}", None),
            ("multipart/mixed; boundary=a", None),
            ("application/json; boundary=a", None),
        ] {
            assert_eq!(
                boundary(content_type).as_deref(),
                expected,
                "{content_type}"
            );
        }
        let long = format!("multipart/form-data; boundary={}", "a".repeat(71));
        assert_eq!(boundary(&long), None);
    }

    #[test]
    fn parts_are_found_with_their_names() {
        let body = b"preamble\r\n--x \t\r\ncontent-disposition: form-data; name=id\r\n\r\n7\r\n\
            --x\r\nContent-Type: image/jpeg\r\nContent-Disposition: form-data; filename=\"name=\\\"no\\\"\"; \
            name=\"fa\\\"c;e\"\r\n\r\n\r\n--y\r\n--x\r\nX-Other: y\r\n\r\n\r\n--x--epilogue";
        let expected = [
            ("id".to_owned(), b"7".to_vec()),
            ("fa\"c;e".to_owned(), b"\r\n--y".to_vec()),
            (String::new(), Vec::new()),
        ];
        assert_eq!(read(body).unwrap(), expected);
    }

    #[test]
    fn broken_forms_are_refused_with_what_is_wrong() {
        let whole = written(&[("id".to_owned(), b"7".to_vec())]);
        for end in 0..whole.len() - 3 {
            assert!(read(&whole[..end]).is_err(), "cut at {end}");
        }
        let many: Vec<Content> = (0..17).map(|n| (format!("p{n}"), vec![])).collect();
        assert_eq!(read(&written(&many)).unwrap_err(), "has more than 16 parts");
        let long = format!("--x\r\nX: {}\r\n\r\n\r\n--x--", "a".repeat(HEADERS));
        assert_eq!(
            read(long.as_bytes()).unwrap_err(),
            "has headers without an end"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn forms_are_read_as_they_were_written(
            parts in prop::collection::vec(("[a-z0-9]{0,9}", prop::collection::vec(any::<u8>(), 0..99)), 0..9),
        ) {
            let holds_boundary = |(_, content): &Content| {
                memchr::memmem::find(content, b"--x").is_some()
            };
            prop_assume!(!parts.iter().any(holds_boundary) && !parts.is_empty());
            prop_assert_eq!(read(&written(&parts)).unwrap(), parts);
        }

        /// Bytes changed anywhere: no panic, and nothing that others would read otherwise.
        #[test]
        fn mutated_forms_are_read_as_others_read_them_or_refused(
            changes in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(b"\r\n-x;=\" a:\xFF".as_slice())), 0..6),
            cut: prop::sample::Index,
        ) {
            let parts = [("id".to_owned(), b"7".to_vec()), ("facial".to_owned(), b"\r\n-\xFF\xD8-x".to_vec())];
            let mut body = written(&parts);
            for (at, value) in changes {
                let at = at.index(body.len());
                body[at] = value;
            }
            body.truncate(cut.index(2 * body.len()).max(1));
            if let (Ok(ours), Ok(theirs)) = (read(&body), reference(&body)) {
                // Others find a part behind a damaged first boundary. A form without parts is refused
                // by whoever asks for one, so nothing is taken for what it is not.
                prop_assume!(!ours.is_empty());
                prop_assert_eq!(ours.len(), theirs.len());
                for (one, other) in ours.iter().zip(&theirs) {
                    prop_assert_eq!(&one.1, &other.1);
                }
            }
        }

        #[test]
        fn anything_is_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&body);
            let _ = boundary(&String::from_utf8_lossy(&body));
        }
    }
}
