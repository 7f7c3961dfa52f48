//! The log of everything that is published: its ids, and what its entries tell.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use redis::streams::StreamId;
use redis::{PushInfo, PushKind, Value};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::message::{Message, Position, Published};
use crate::options::Disconnect;

/// An id of the log: milliseconds since the Unix epoch and a number within them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LogId {
    pub(super) time: u64,
    number: u64,
}

impl LogId {
    /// The last id that is before this one.
    pub(super) fn before(self) -> Self {
        match self.number {
            0 => Self {
                time: self.time.saturating_sub(1),
                number: u64::MAX,
            },
            number => Self {
                time: self.time,
                number: number - 1,
            },
        }
    }
}

/// The text is no id.
#[derive(Debug)]
pub(super) struct NoId;

impl FromStr for LogId {
    type Err = NoId;

    fn from_str(text: &str) -> Result<Self, NoId> {
        let (time, number) = text.split_once('-').ok_or(NoId)?;
        Ok(Self {
            time: time.parse().map_err(|_| NoId)?,
            number: number.parse().map_err(|_| NoId)?,
        })
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.time, self.number)
    }
}

/// Something that every process is told. The names are as short as `script.rs` writes them.
#[derive(Debug, Deserialize)]
pub(super) enum News {
    #[serde(rename = "m")]
    Message(Numbered),
    #[serde(rename = "d")]
    Disconnect(Order),
}

/// An order to end connections.
#[derive(Debug, Deserialize)]
pub(super) struct Order {
    #[serde(rename = "t")]
    pub(super) tag: String,
    #[serde(rename = "n")]
    reason: String,
    #[serde(rename = "r")]
    reconnect: bool,
}

impl Order {
    pub(super) fn disconnect(&self) -> Disconnect {
        Disconnect {
            reason: self.reason.clone().into(),
            reconnect: self.reconnect,
        }
    }
}

/// A message with its place in the history.
#[derive(Debug, Deserialize)]
pub(super) struct Numbered {
    #[serde(rename = "s")]
    stream: String,
    #[serde(rename = "p")]
    payload: String,
    #[serde(rename = "k")]
    key: String,
    #[serde(rename = "t")]
    sent: String,
    #[serde(rename = "e")]
    epoch: String,
    #[serde(rename = "o")]
    offset: u64,
}

impl Numbered {
    /// `None` if the payload is not JSON, which nobody here wrote.
    pub(super) fn published(self) -> Option<Published> {
        Some(Published {
            stream: self.stream.into(),
            message: message(self.payload, &self.key, &self.sent)?,
            position: Some(Position {
                epoch: self.epoch.into(),
                offset: self.offset,
            }),
        })
    }
}

/// A message as Redis keeps it: its payload, its key or nothing, when it was broadcast in
/// microseconds since the Unix epoch or nothing.
pub(super) fn message(payload: String, key: &str, sent: &str) -> Option<Message> {
    let mut message = Message::from(RawValue::from_string(payload).ok()?);
    message.sent = sent.parse().ok().map(Duration::from_micros);
    Some(match key {
        "" => message,
        key => message.with_key(key),
    })
}

/// What an entry of the log tells.
pub(super) fn news(entry: &StreamId) -> Vec<News> {
    let text = entry.get::<String>("n").unwrap_or_default();
    read(&text)
}

fn read(text: &str) -> Vec<News> {
    serde_json::from_str(text).unwrap_or_else(|error| {
        tracing::error!(%error, "the log in Redis is not as this program writes it");
        Vec::new()
    })
}

/// An entry of the log as it is announced to those who listen.
#[derive(Debug)]
pub(super) struct Announced<'a> {
    /// The entry before it.
    pub(super) previous: LogId,
    pub(super) id: LogId,
    text: &'a str,
}

impl<'a> Announced<'a> {
    /// `None` if it is something else that Redis says.
    pub(super) fn read(push: &'a PushInfo) -> Option<Self> {
        let PushInfo {
            kind: PushKind::Message,
            data,
        } = push
        else {
            return None;
        };
        let [_, Value::BulkString(bytes)] = data.as_slice() else {
            return None;
        };
        let mut parts = std::str::from_utf8(bytes).ok()?.splitn(3, ' ');
        Some(Self {
            previous: parts.next()?.parse().ok()?,
            id: parts.next()?.parse().ok()?,
            text: parts.next()?,
        })
    }

    pub(super) fn news(&self) -> Vec<News> {
        read(self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> LogId {
        text.parse().unwrap()
    }

    #[test]
    fn ids_are_ordered_by_time_and_number() {
        assert!(id("99-5") < id("100-0"));
        assert!(id("100-2") < id("100-10"));
        assert!("nonsense".parse::<LogId>().is_err());
        assert_eq!(id("100-2").before(), id("100-1"));
        assert!(id("99-999") < id("100-0").before());
        assert_eq!(id("100-2").to_string(), "100-2");
    }

    #[test]
    fn an_announcement_says_what_is_before_it() {
        let text = r#"7-1 8-0 [{"d":{"t":"user:1","n":"remote","r":true}},
            {"m":{"s":"room","p":"{\"a\":1}","k":"","t":"","e":"x","o":3}}]"#;
        let push = PushInfo {
            kind: PushKind::Message,
            data: vec![Value::Nil, Value::BulkString(text.into())],
        };
        let announced = Announced::read(&push).unwrap();
        assert_eq!((announced.previous, announced.id), (id("7-1"), id("8-0")));
        let mut news = announced.news();
        let Some(News::Message(message)) = news.pop() else {
            panic!("{news:?}");
        };
        let published = message.published().unwrap();
        assert_eq!(published.message.payload(), r#"{"a":1}"#);
        assert_eq!(published.message.key(), None);
        assert_eq!(published.position.unwrap().offset, 3);
        assert!(matches!(
            news.pop(),
            Some(News::Disconnect(Order {
                reconnect: true,
                ..
            }))
        ));
    }
}
