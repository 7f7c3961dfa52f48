//! The wire: what clients send, what they are sent, and the names of the protocols.
//!
//! `actioncable-v1-json` as in Rails (`actioncable/lib/action_cable/connection/` and
//! `@rails/actioncable`), `actioncable-v1-ext-json` as in AnyCable's protocol document and
//! `@anycable/core`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::fanout::Since;
use crate::identifier::Identifier;
use crate::message::{Position, Published};

/// The dialect a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Protocol {
    /// `actioncable-v1-json`, as Rails speaks it.
    #[default]
    V1Json,
    /// `actioncable-v1-ext-json`: positions, history and resumed sessions on top.
    V1ExtJson,
}

/// Subprotocols this server knows, with what it speaks on them. A client that offers only
/// `actioncable-unsupported` is given it, as Rails does, and hangs up by itself.
const SUBPROTOCOLS: [(&str, Protocol); 3] = [
    ("actioncable-v1-json", Protocol::V1Json),
    ("actioncable-v1-ext-json", Protocol::V1ExtJson),
    ("actioncable-unsupported", Protocol::V1Json),
];

impl Protocol {
    /// Chooses from the subprotocols a client offers, in its order: the name to answer with and
    /// the protocol to speak. `None` means that there is nothing to answer with; Rails then goes
    /// on without a `Sec-WebSocket-Protocol` header and speaks `actioncable-v1-json`.
    pub fn negotiate<'a>(
        offered: impl IntoIterator<Item = &'a str>,
    ) -> Option<(&'static str, Self)> {
        offered.into_iter().find_map(|offer| {
            SUBPROTOCOLS
                .into_iter()
                .find(|(name, _)| *name == offer.trim())
        })
    }
}

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

/// `{"type":"welcome"}`, the first frame of a connection.
pub(crate) fn welcome() -> Bytes {
    Bytes::from_static(br#"{"type":"welcome"}"#)
}

/// The welcome of a session that can be resumed, with the subscriptions that were.
pub(crate) fn welcome_session(sid: &str, resumed: &[Identifier]) -> Bytes {
    if resumed.is_empty() {
        return format!(r#"{{"type":"welcome","sid":"{sid}"}}"#).into();
    }
    let ids = resumed
        .iter()
        .map(Identifier::wire)
        .collect::<Vec<_>>()
        .join(",");
    format!(r#"{{"type":"welcome","sid":"{sid}","restored":true,"restored_ids":[{ids}]}}"#).into()
}

/// The ping; the payload is Unix time in seconds, as Rails' `Time.now.to_i`.
pub(crate) fn ping(unix_seconds: u64) -> Bytes {
    format!(r#"{{"type":"ping","message":{unix_seconds}}}"#).into()
}

/// `confirm_subscription`, `reject_subscription`, `confirm_history`, `reject_history`.
pub(crate) fn reply(kind: &'static str, identifier: &Identifier) -> Bytes {
    format!(r#"{{"identifier":{},"type":"{kind}"}}"#, identifier.wire()).into()
}

/// The farewell. Reasons known to Rails: `unauthorized`, `invalid_request`, `server_restart`,
/// `remote`.
pub(crate) fn disconnect(reason: &str, reconnect: bool) -> Bytes {
    let reason = serde_json::Value::from(reason);
    format!(r#"{{"type":"disconnect","reason":{reason},"reconnect":{reconnect}}}"#).into()
}

/// A payload for one subscription, without a position.
pub(crate) fn transmission(identifier: &Identifier, payload: &RawValue) -> Bytes {
    let identifier = identifier.wire();
    written(
        identifier.len() + payload.get().len(),
        format_args!(
            r#"{{"identifier":{identifier},"message":{}}}"#,
            payload.get()
        ),
    )
}

/// A published message for one subscription; with its position where the protocol has one.
pub(crate) fn message(protocol: Protocol, identifier: &Identifier, published: &Published) -> Bytes {
    match (&published.position, protocol) {
        (Some(position), Protocol::V1ExtJson) => positioned(
            identifier,
            &published.message.payload,
            &published.stream,
            position,
        ),
        _ => transmission(identifier, &published.message.payload),
    }
}

/// A payload for one subscription with the position it has in a stream.
pub(crate) fn positioned(
    identifier: &Identifier,
    payload: &RawValue,
    stream: &str,
    position: &Position,
) -> Bytes {
    let identifier = identifier.wire();
    let lengths = identifier.len() + payload.get().len() + stream.len() + position.epoch.len();
    written(
        lengths,
        format_args!(
            r#"{{"identifier":{identifier},"message":{},"stream_id":{},"epoch":{},"offset":{}}}"#,
            payload.get(),
            serde_json::Value::from(stream),
            serde_json::Value::from(&*position.epoch),
            position.offset,
        ),
    )
}

/// What a frame has besides the parts whose lengths are known: names, punctuation, an offset.
const SCAFFOLD: usize = 96;

/// Writes a frame into memory of its size. Grown step by step it would take up to twice as much,
/// for as long as it waits in queues.
fn written(lengths: usize, frame: std::fmt::Arguments<'_>) -> Bytes {
    let mut text = String::with_capacity(lengths + SCAFFOLD);
    // Writing to a string cannot fail.
    let _ = text.write_fmt(frame);
    text.into()
}

/// Reads a frame, and looks whether what is sent back about it is JSON with the same identifier.
///
/// # Panics
/// If it is not.
#[cfg(any(fuzzing, test))]
#[cfg_attr(test, allow(unreachable_pub))] // Public for the fuzzer.
pub fn fuzz_frame(frame: &[u8]) {
    let Ok(
        Command::Subscribe { identifier, .. }
        | Command::Unsubscribe { identifier }
        | Command::Message { identifier, .. }
        | Command::History { identifier, .. },
    ) = Command::decode(frame)
    else {
        return;
    };
    let position = Position {
        epoch: "e".into(),
        offset: u64::MAX,
    };
    for back in [
        reply("confirm_subscription", &identifier),
        transmission(&identifier, RawValue::NULL),
        positioned(&identifier, RawValue::NULL, identifier.as_str(), &position),
        welcome_session("s", std::slice::from_ref(&identifier)),
    ] {
        let back: Result<serde_json::Value, _> = serde_json::from_slice(&back);
        let Ok(back) = back else {
            unreachable!("a frame that is no JSON")
        };
        let identifiers = [&back["identifier"], &back["restored_ids"][0]];
        let same = |value: &&serde_json::Value| value.as_str() == Some(identifier.as_str());
        assert!(identifiers.iter().any(same), "the identifier is another");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        /// The same that `fuzz/` looks for, without it.
        #[test]
        fn identifiers_come_back(text: String, escaped: bool, noise: Vec<u8>) {
            fuzz_frame(&noise);
            let token = if escaped {
                let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
                format!("\"{}\"", units.collect::<String>())
            } else {
                serde_json::Value::from(text).to_string()
            };
            for command in ["subscribe", "unsubscribe", "history"] {
                fuzz_frame(format!(r#"{{"command":"{command}","identifier":{token}}}"#).as_bytes());
            }
        }
    }

    #[test]
    fn negotiates_in_the_clients_order() {
        let choose = |offer: &'static str| Protocol::negotiate(offer.split(','));
        assert_eq!(
            choose("actioncable-v1-json, actioncable-unsupported"),
            Some(("actioncable-v1-json", Protocol::V1Json))
        );
        assert_eq!(
            choose("anycable-token.abc, actioncable-v1-ext-json,actioncable-v1-json"),
            Some(("actioncable-v1-ext-json", Protocol::V1ExtJson))
        );
        assert_eq!(
            choose("actioncable-unsupported"),
            Some(("actioncable-unsupported", Protocol::V1Json))
        );
        assert_eq!(choose("graphql-ws"), None);
    }

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

    #[test]
    fn writes_frames() {
        let id = Identifier::new(r#"{"channel":"A"}"#);
        let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        assert_eq!(
            text(ping(1_700_000_000)),
            r#"{"type":"ping","message":1700000000}"#
        );
        assert_eq!(
            text(reply("confirm_subscription", &id)),
            r#"{"identifier":"{\"channel\":\"A\"}","type":"confirm_subscription"}"#
        );
        assert_eq!(
            text(disconnect("remote", true)),
            r#"{"type":"disconnect","reason":"remote","reconnect":true}"#
        );
        let published = Published {
            stream: "s".into(),
            message: serde_json::json!({"n": 1}).into(),
            position: Some(Position {
                epoch: "e".into(),
                offset: 4,
            }),
        };
        assert_eq!(
            text(message(Protocol::V1Json, &id, &published)),
            r#"{"identifier":"{\"channel\":\"A\"}","message":{"n":1}}"#
        );
        assert_eq!(
            text(message(Protocol::V1ExtJson, &id, &published)),
            r#"{"identifier":"{\"channel\":\"A\"}","message":{"n":1},"stream_id":"s","epoch":"e","offset":4}"#
        );
    }
}
