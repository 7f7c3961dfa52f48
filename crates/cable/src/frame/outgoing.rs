//! What clients are sent.

use std::fmt::Write as _;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::protocol::Protocol;
use crate::identifier::Identifier;
use crate::message::{Position, Published};

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

/// `reject_subscription`; the reason is ours, and clients that do not know it ignore it.
pub(crate) fn reject_subscription(identifier: &Identifier, reason: Option<&'static str>) -> Bytes {
    const KIND: &str = "reject_subscription";
    match reason {
        None => reply(KIND, identifier),
        Some(reason) => format!(
            r#"{{"identifier":{},"type":"{KIND}","reason":"{reason}"}}"#,
            identifier.wire()
        )
        .into(),
    }
}

/// The `disconnect` frame. Reasons known to Rails: `unauthorized`, `invalid_request`, `server_restart`,
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

#[cfg(test)]
mod tests {
    use super::*;

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
