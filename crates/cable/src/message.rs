//! What is broadcast, and where in its stream it stands.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;

/// One message to a stream or to a subscriber: any JSON value, written once, and an optional key.
///
/// The key makes a message idempotent: a stream takes a key once (as long as its history
/// remembers, see [`HistoryOptions`](crate::HistoryOptions)), and a subscription is sent it once.
/// That is how a fact that is both stored and broadcast (a verdict, a final score) reaches a page
/// once, whether the page subscribed before, during or after it: return it from
/// [`Application::confirmed`](crate::Application::confirmed) and broadcast it, both with the same
/// key. A subscription remembers its last 64 keys.
#[derive(Clone, Debug)]
pub struct Message {
    pub(crate) payload: Arc<RawValue>,
    pub(crate) key: Option<Arc<str>>,
    /// When it was broadcast, as the span since the Unix epoch.
    pub(crate) sent: Option<Duration>,
}

impl Message {
    /// A message from anything that can be JSON.
    ///
    /// # Errors
    /// The value cannot be written as JSON (for example a map whose keys are not strings).
    pub fn new<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        Ok(serde_json::value::to_raw_value(value)?.into())
    }

    /// The same message with an idempotency key.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<Arc<str>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The payload as JSON text.
    pub fn payload(&self) -> &str {
        self.payload.get()
    }

    /// The key under which it is taken and sent once, if it has one.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }
}

impl From<Box<RawValue>> for Message {
    fn from(payload: Box<RawValue>) -> Self {
        Self {
            payload: payload.into(),
            key: None,
            sent: None,
        }
    }
}

impl From<serde_json::Value> for Message {
    fn from(value: serde_json::Value) -> Self {
        // Writing a `Value` cannot fail: its keys are strings and its numbers finite.
        serde_json::value::to_raw_value(&value)
            .unwrap_or_else(|_| RawValue::NULL.to_owned())
            .into()
    }
}

/// A place in the history of a stream.
///
/// Offsets grow with the messages of a stream, without a gap or with; they mean something only
/// within their epoch, the name of one life of the history. (`epoch` and `offset` of
/// `actioncable-v1-ext-json`.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Which history the offset counts in.
    pub epoch: Arc<str>,
    /// The number of the message in its stream; 0 is before the first.
    pub offset: u64,
}

impl Position {
    /// Whether a message here has been passed by a reader who is at `reader`.
    pub(crate) fn reached_by(&self, reader: &Self) -> bool {
        self.epoch == reader.epoch && self.offset <= reader.offset
    }
}

/// A message as it was published to a stream.
#[derive(Clone, Debug)]
pub struct Published {
    /// The name of the stream it was published to.
    pub stream: Arc<str>,
    /// What is delivered: payload and key.
    pub message: Message,
    /// Its place in the history; `None` where none is kept.
    pub position: Option<Position>,
}

/// What a session needs to know of a message beside its frame. Without the payload: what waits for
/// a slow reader is to cost no more than the frames that are counted.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) stream: Arc<str>,
    pub(crate) key: Option<Arc<str>>,
    pub(crate) position: Option<Position>,
    pub(crate) sent: Option<Duration>,
}

impl From<&Published> for Note {
    fn from(published: &Published) -> Self {
        Self {
            stream: Arc::clone(&published.stream),
            key: published.message.key.clone(),
            position: published.position.clone(),
            sent: published.message.sent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_text_once() {
        let message = Message::from(serde_json::json!({"status": "verified"})).with_key("verdict");
        assert_eq!(message.payload(), r#"{"status":"verified"}"#);
        assert_eq!(message.key(), Some("verdict"));
        assert_eq!(Message::new("plain").unwrap().payload(), r#""plain""#);
    }

    #[test]
    fn positions_compare_within_an_epoch_only() {
        let at = |epoch: &str, offset| Position {
            epoch: epoch.into(),
            offset,
        };
        assert!(at("a", 2).reached_by(&at("a", 2)));
        assert!(!at("a", 3).reached_by(&at("a", 2)));
        assert!(!at("b", 1).reached_by(&at("a", 2)));
    }
}
