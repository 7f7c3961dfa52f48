//! What clients send.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::history::Since;
use crate::identifier::Identifier;
use crate::message::Position;

/// What a client asks for.
#[derive(Debug)]
pub(crate) enum Command {
    Subscribe {
        identifier: Identifier,
        history: Option<HistoryRequest>,
    },
    Unsubscribe {
        identifier: Identifier,
    },
    Message {
        identifier: Identifier,
        data: serde_json::Value,
    },
    History {
        identifier: Identifier,
        history: Option<HistoryRequest>,
    },
    Pong,
}

/// A wish for messages that were missed (`history` of `actioncable-v1-ext-json`).
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct HistoryRequest {
    /// Unix time; `@anycable/core` sends seconds.
    #[serde(default)]
    pub(crate) since: Option<f64>,
    /// The last position seen in each stream.
    #[serde(default)]
    pub(crate) streams: HashMap<String, WirePosition>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct WirePosition {
    pub(crate) epoch: String,
    pub(crate) offset: u64,
}

/// Times from here on are taken for milliseconds: as seconds, it is the year 5138.
const MILLISECONDS: f64 = 1e11;

impl HistoryRequest {
    /// The last position that the client has seen in a stream.
    pub(crate) fn position(&self, stream: &str) -> Option<Position> {
        let at = self.streams.get(stream)?;
        Some(Position {
            epoch: at.epoch.as_str().into(),
            offset: at.offset,
        })
    }

    /// The time from which on the client wants messages, in whole seconds.
    fn time(&self) -> Option<Duration> {
        let since = self.since.filter(|since| *since > 0.0)?;
        let seconds = if since >= MILLISECONDS {
            since / 1000.0
        } else {
            since
        };
        Duration::try_from_secs_f64(seconds.floor()).ok()
    }

    /// What to read of each stream: what came after the position the client has seen, else after
    /// a fallback position (by the index of the stream), else since the time it says.
    pub(crate) fn since_for(
        &self,
        streams: &[Arc<str>],
        fallback: &[Option<Position>],
    ) -> Vec<(Arc<str>, Since)> {
        let time = self.time();
        let since = |(at, stream): (usize, &Arc<str>)| {
            let position = self
                .position(stream)
                .or_else(|| fallback.get(at).cloned().flatten());
            let since = position.map(Since::Position).or(time.map(Since::Time))?;
            Some((Arc::clone(stream), since))
        };
        streams.iter().enumerate().filter_map(since).collect()
    }
}

/// Why a frame was not understood. Rails logs these and goes on; so do we.
/// Nothing of the frame is repeated except the name of an unknown command: it may hold secrets.
#[derive(Debug, thiserror::Error, PartialEq)]
pub(crate) enum Malformed {
    #[error("not a JSON object with a command")]
    NotACommand,
    #[error("unknown command {0:?}")]
    UnknownCommand(String),
    #[error("the identifier is missing or not a string")]
    Identifier,
    #[error("data is missing or not a JSON document in a string")]
    Data,
}

#[derive(Deserialize)]
struct RawCommand<'a> {
    #[serde(borrow)]
    command: Cow<'a, str>,
    #[serde(borrow, default)]
    identifier: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    history: Option<&'a RawValue>,
}

impl Command {
    /// Reads one text frame.
    pub(crate) fn decode(frame: &[u8]) -> Result<Self, Malformed> {
        let raw: RawCommand<'_> =
            serde_json::from_slice(frame).map_err(|_| Malformed::NotACommand)?;
        let identifier = || {
            raw.identifier
                .and_then(|token| Identifier::from_wire(token.get()))
                .ok_or(Malformed::Identifier)
        };
        let history = || {
            raw.history
                .and_then(|raw| serde_json::from_str(raw.get()).ok())
        };
        Ok(match &*raw.command {
            "subscribe" => Self::Subscribe {
                identifier: identifier()?,
                history: history(),
            },
            "unsubscribe" => Self::Unsubscribe {
                identifier: identifier()?,
            },
            "message" => Self::Message {
                identifier: identifier()?,
                data: embedded_json(raw.data).ok_or(Malformed::Data)?,
            },
            "history" => Self::History {
                identifier: identifier()?,
                history: history(),
            },
            "pong" => Self::Pong,
            other => return Err(Malformed::UnknownCommand(other.chars().take(32).collect())),
        })
    }
}

/// The `data` of a `message` command is JSON written into a JSON string.
fn embedded_json(raw: Option<&RawValue>) -> Option<serde_json::Value> {
    let text: String = serde_json::from_str(raw?.get()).ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_commands_of_the_official_client() {
        let frame = br#"{"command":"subscribe","identifier":"{\"channel\":\"A\"}"}"#;
        let Ok(Command::Subscribe {
            identifier,
            history: None,
        }) = Command::decode(frame)
        else {
            panic!("not a subscribe");
        };
        assert_eq!(identifier.as_str(), r#"{"channel":"A"}"#);

        let frame = br#"{"command":"message","identifier":"a","data":"{\"action\":\"speak\"}"}"#;
        let Ok(Command::Message { data, .. }) = Command::decode(frame) else {
            panic!("not a message");
        };
        assert_eq!(data["action"], "speak");
    }

    #[test]
    fn reads_history_requests() {
        let frame = br#"{"command":"history","identifier":"a",
            "history":{"since":1700000000,"streams":{"s":{"epoch":"e","offset":3}}}}"#;
        let Ok(Command::History {
            history: Some(history),
            ..
        }) = Command::decode(frame)
        else {
            panic!("not a history");
        };
        let at = |epoch: &str, offset| Position {
            epoch: epoch.into(),
            offset,
        };
        let since = history.since_for(
            &["s".into(), "t".into(), "u".into()],
            &[Some(at("x", 9)), None, Some(at("y", 8))],
        );
        let expected = [
            ("s".into(), Since::Position(at("e", 3))),
            ("t".into(), Since::Time(Duration::from_secs(1_700_000_000))),
            ("u".into(), Since::Position(at("y", 8))),
        ];
        assert_eq!(since, expected);
    }

    #[test]
    fn takes_times_in_seconds_and_milliseconds() {
        let time = |since| {
            HistoryRequest {
                since: Some(since),
                ..Default::default()
            }
            .time()
        };
        assert_eq!(
            time(1_700_000_000.9),
            Some(Duration::from_secs(1_700_000_000))
        );
        assert_eq!(
            time(1_700_000_000_900.0),
            Some(Duration::from_secs(1_700_000_000))
        );
        assert_eq!(time(0.0), None);
        assert_eq!(time(-5.0), None);
        assert_eq!(time(f64::MAX), None);
    }

    #[test]
    fn says_what_is_wrong_without_repeating_it() {
        let reason = |frame: &[u8]| Command::decode(frame).unwrap_err();
        assert_eq!(reason(b"{"), Malformed::NotACommand);
        assert_eq!(reason(b"[]"), Malformed::NotACommand);
        assert_eq!(reason(b"\xff\xfe"), Malformed::NotACommand);
        assert_eq!(reason(br#"{"command":"subscribe"}"#), Malformed::Identifier);
        assert_eq!(
            reason(br#"{"command":"subscribe","identifier":{}}"#),
            Malformed::Identifier
        );
        assert_eq!(
            reason(br#"{"command":"message","identifier":"a","data":{}}"#),
            Malformed::Data
        );
        assert_eq!(
            reason(br#"{"command":"fly"}"#),
            Malformed::UnknownCommand("fly".into())
        );
        let deep = format!(r#"{{"command":"x","data":{}}}"#, "[".repeat(100_000));
        assert_eq!(reason(deep.as_bytes()), Malformed::NotACommand);
    }
}
