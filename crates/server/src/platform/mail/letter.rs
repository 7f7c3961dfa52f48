//! A letter, as plain text and as plain HTML. What could end a header is not let into one: the types that headers are
//! made of cannot hold it.

use std::str::FromStr;

use askama::Template;
use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart,
        header::{Header, HeaderName, HeaderValue},
    },
};
use thiserror::Error;
use uuid::Uuid;

use crate::platform::clock::Moment;

/// Most characters of a header's line.
const LONGEST: usize = 200;

/// Whom a letter goes to: one bare address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient(Address);

/// A text that letters cannot be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("is no address that a letter can go to")]
pub struct NoAddress;

impl FromStr for Recipient {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(NoAddress);
        }
        text.parse().map(Self).map_err(|_| NoAddress)
    }
}

impl Recipient {
    /// The address itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }
}

/// Text of one line, for a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line(String);

impl Line {
    /// The text with blanks for what would end the line, or is not to be seen, and no longer than a header should be.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let is_odd = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        let plain = text.chars().map(|c| if is_odd(c) { ' ' } else { c });
        Self(plain.take(LONGEST).collect())
    }

    /// The text of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A letter: paragraphs, and at most one link to follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Whom it goes to.
    pub to: Recipient,
    /// What it is about.
    pub subject: Line,
    before: Vec<String>,
    link: Option<(String, String)>,
    after: Vec<String>,
    /// The address of the installation that it is from.
    from: String,
}

#[derive(Template)]
#[template(path = "platform/mail/letter.txt")]
struct AsText<'a> {
    letter: &'a Letter,
}

#[derive(Template)]
#[template(path = "platform/mail/letter.html")]
struct AsHtml<'a> {
    letter: &'a Letter,
}

/// `Auto-Submitted: auto-generated` (RFC 3834): nobody's absence is told to it.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Letter {
    /// An empty letter, of the installation at this address.
    #[must_use]
    pub fn new(to: Recipient, subject: &str, public_url: &str) -> Self {
        Self {
            to,
            subject: Line::new(subject),
            before: Vec::new(),
            link: None,
            after: Vec::new(),
            from: public_url.to_owned(),
        }
    }

    /// The same with another paragraph.
    #[must_use]
    pub fn says(mut self, paragraph: impl Into<String>) -> Self {
        let paragraphs = match self.link {
            None => &mut self.before,
            Some(_) => &mut self.after,
        };
        paragraphs.push(paragraph.into());
        self
    }

    /// The same with a link to follow: what it does, and where it leads.
    #[must_use]
    pub fn link(mut self, label: &str, url: impl Into<String>) -> Self {
        self.link = Some((label.to_owned(), url.into()));
        self
    }

    /// The link's address, if there is one.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.link.as_ref().map(|(_, url)| url.as_str())
    }

    /// As plain text.
    ///
    /// # Errors
    /// When the template cannot be filled.
    pub fn text(&self) -> Result<String, askama::Error> {
        AsText { letter: self }.render()
    }

    /// As it is handed to a mail server. The same `id` at each attempt lets mailboxes see that it is one letter.
    pub(super) fn message(&self, from: &Mailbox, id: Uuid, now: Moment) -> Result<Message, String> {
        let (text, html) = (self.text(), AsHtml { letter: self }.render());
        let text = text.map_err(|error| error.to_string())?;
        let html = html.map_err(|error| error.to_string())?;
        Message::builder()
            .from(from.clone())
            .to(Mailbox::new(None, self.to.0.clone()))
            .subject(self.subject.as_str())
            .date(now.into())
            .message_id(Some(format!("<{id}@{}>", from.email.domain())))
            .header(AutoSubmitted)
            .multipart(MultiPart::alternative_plain_html(text, html))
            .map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(subject: &str) -> Letter {
        Letter::new(
            "ann@example.com".parse().unwrap(),
            subject,
            "https://signin.example",
        )
        .says("Somebody wants <b>this</b>.")
        .link(
            "Choose a password",
            "https://signin.example/x?token=al_1&b=2",
        )
        .says("It was not you? Then do nothing.")
    }

    fn sent(letter: &Letter) -> String {
        let from = "Axiam <signin@example.com>".parse().unwrap();
        let message = letter
            .message(&from, Uuid::nil(), Moment::UNIX_EPOCH)
            .unwrap();
        String::from_utf8(message.formatted()).unwrap()
    }

    #[test]
    fn a_letter_says_the_same_in_text_and_in_html() {
        let letter = letter("Choose a password");
        let text = letter.text().unwrap();
        assert!(text.contains("Somebody wants <b>this</b>."), "{text}");
        assert!(
            text.contains("\nhttps://signin.example/x?token=al_1&b=2\n"),
            "{text}"
        );
        let html = AsHtml { letter: &letter }.render().unwrap();
        assert!(
            html.contains("&#60;b&#62;this") && !html.contains("<b>this"),
            "{html}"
        );
        assert!(html.contains("token=al_1&#38;b=2\""), "{html}");
        let sent = sent(&letter);
        for line in [
            "From: Axiam <signin@example.com>\r\n",
            "To: ann@example.com\r\n",
            "Subject: Choose a password\r\n",
            "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Message-ID: <00000000-0000-0000-0000-000000000000@example.com>\r\n",
            "multipart/alternative",
        ] {
            assert!(sent.contains(line), "{line}: {sent}");
        }
    }

    #[test]
    fn nothing_that_is_typed_makes_a_header() {
        for subject in [
            "a\r\nBcc: eve@evil.example",
            "a\nBcc: eve@evil.example",
            "a\u{2028}Bcc: eve@evil.example",
            "ä\r\n\r\n<html>",
            &"a\r\nBcc: eve@evil.example ".repeat(500),
        ] {
            let sent = sent(&letter(subject));
            let (head, _) = sent.split_once("\r\n\r\n").unwrap();
            assert!(!head.to_lowercase().contains("\nbcc"), "{head}");
            assert_eq!(head.matches("\nSubject:").count(), 1, "{head}");
        }
        for address in [
            "",
            "ann",
            "ann@example.com\r\nBcc: eve@evil.example",
            "ann@example.com\nRCPT TO:<eve@evil.example>",
            "ann@example.com, eve@evil.example",
            "<ann@example.com>",
            "ann@example.com>",
            "Ann <ann@example.com>",
            "ann@example.com ",
            "ann@exam ple.com",
        ] {
            assert_eq!(address.parse::<Recipient>(), Err(NoAddress), "{address:?}");
        }
        assert!("zoë+1@exämple.com".parse::<Recipient>().is_ok());
    }
}
