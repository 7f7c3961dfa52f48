//! The log of everything that is published: its ids, its entries, and what they tell.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use redis::streams::StreamId;
use redis::{PushInfo, PushKind, Value};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::seal::Sealing;
use crate::message::{Message, Position, Published};
use crate::options::Disconnect;

/// An id of the log: milliseconds since the Unix epoch and a number within them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LogId {
    time: u64,
    number: u64,
}

impl LogId {
    /// When it was written, by the clock of Redis, as the span since the Unix epoch.
    pub(super) fn time(self) -> Duration {
        Duration::from_millis(self.time)
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

/// What entries are sealed for.
const SEALED_FOR: &str = "log";

/// What every process is told.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Record {
    #[serde(rename = "m")]
    Message(MessageRecord),
    #[serde(rename = "d")]
    Disconnect(DisconnectRecord),
}

impl Record {
    pub(super) fn message(&self) -> Option<&MessageRecord> {
        match self {
            Self::Message(message) => Some(message),
            Self::Disconnect(_) => None,
        }
    }
}

/// A message to a stream.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct MessageRecord {
    #[serde(rename = "s")]
    pub(super) stream: Arc<str>,
    #[serde(rename = "p")]
    pub(super) payload: Arc<RawValue>,
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<Arc<str>>,
    /// When it was broadcast, in microseconds since the Unix epoch.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    sent: Option<u64>,
}

/// An order to end connections.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DisconnectRecord {
    #[serde(rename = "t")]
    pub(super) tag: String,
    #[serde(rename = "n")]
    reason: Cow<'static, str>,
    #[serde(rename = "r")]
    reconnect: bool,
}

impl MessageRecord {
    pub(super) fn new(stream: &str, message: Message) -> Self {
        let micros = |span: Duration| u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        Self {
            stream: stream.into(),
            payload: message.payload,
            key: message.key,
            sent: message.sent.map(micros),
        }
    }

    pub(super) fn published(self, position: Option<Position>) -> Published {
        let message = Message {
            payload: self.payload,
            key: self.key,
            sent: self.sent.map(Duration::from_micros),
        };
        Published {
            stream: self.stream,
            message,
            position,
        }
    }
}

impl DisconnectRecord {
    pub(super) fn new(tag: &str, disconnect: Disconnect) -> Self {
        Self {
            tag: tag.to_owned(),
            reason: disconnect.reason,
            reconnect: disconnect.reconnect,
        }
    }

    pub(super) fn to_disconnect(&self) -> Disconnect {
        Disconnect {
            reason: self.reason.clone(),
            reconnect: self.reconnect,
        }
    }
}

/// An entry of the log.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) id: LogId,
    pub(super) epoch: Cow<'a, str>,
    /// How many records there were before it in its epoch.
    pub(super) before: u64,
    /// Sealed, where the fan-out seals.
    records: Cow<'a, [u8]>,
}

impl<'a> Entry<'a> {
    /// As it is announced; `None` if it is something else that Redis says.
    pub(super) fn announced(push: &'a PushInfo) -> Option<Self> {
        let (PushKind::Message, [_, Value::BulkString(bytes)]) = (&push.kind, push.data.as_slice())
        else {
            return None;
        };
        let mut parts = bytes.splitn(4, |byte| *byte == b' ');
        let mut text = || std::str::from_utf8(parts.next()?).ok();
        Some(Self {
            id: text()?.parse().ok()?,
            epoch: text()?.into(),
            before: text()?.parse().ok()?,
            records: parts.next()?.into(),
        })
    }

    /// As it is read; `None` if nobody here wrote it.
    pub(super) fn read(entry: &StreamId) -> Option<Entry<'static>> {
        let text = |name: &str| entry.get::<String>(name);
        Some(Entry {
            id: entry.id.parse().ok()?,
            epoch: text("e")?.into(),
            before: text("b")?.parse().ok()?,
            records: entry.get::<Vec<u8>>("n")?.into(),
        })
    }

    pub(super) fn records(&self, sealing: &Sealing) -> Vec<Record> {
        let Some(plain) = sealing.open(SEALED_FOR, &self.records) else {
            tracing::error!("the log in Redis was sealed with another key than this server has");
            return Vec::new();
        };
        serde_json::from_slice(&plain).unwrap_or_else(|error| {
            tracing::error!(%error, "the log in Redis is not as this program writes it");
            Vec::new()
        })
    }
}

/// The records of one entry as they are written.
pub(super) fn write(records: &[&Record], sealing: &Sealing) -> Vec<u8> {
    // Writing them as JSON cannot fail: their keys are strings.
    let plain = serde_json::to_vec(records).unwrap_or_default();
    sealing.seal(SEALED_FOR, plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_ordered_by_time_and_number() {
        let id = |text: &str| text.parse::<LogId>().unwrap();
        assert!(id("99-5") < id("100-0"));
        assert!(id("100-2") < id("100-10"));
        assert!("nonsense".parse::<LogId>().is_err());
        assert_eq!(id("100-2").to_string(), "100-2");
    }

    #[test]
    fn an_announcement_says_what_was_written() {
        let message = Message::from(serde_json::json!({"a": 1})).with_key("k");
        let written = [
            Record::Message(MessageRecord::new("room", message)),
            Record::Disconnect(DisconnectRecord::new("user:1", Disconnect::remote(true))),
        ];
        let text = format!("8-0 e 41 {}", serde_json::to_string(&written).unwrap());
        let push = PushInfo {
            kind: PushKind::Message,
            data: vec![Value::Nil, Value::BulkString(text.into())],
        };
        let entry = Entry::announced(&push).unwrap();
        assert_eq!((entry.id.time, &*entry.epoch, entry.before), (8, "e", 41));
        let mut records = entry.records(&Sealing::default());
        let Some(Record::Disconnect(disconnect)) = records.pop() else {
            panic!("{records:?}");
        };
        assert_eq!(disconnect.to_disconnect(), Disconnect::remote(true));
        let Some(Record::Message(message)) = records.pop() else {
            panic!("{records:?}");
        };
        let position = Position {
            epoch: "e".into(),
            offset: 42,
        };
        let published = message.published(Some(position));
        assert_eq!(published.message.payload(), r#"{"a":1}"#);
        assert_eq!(published.message.key(), Some("k"));
    }
}
