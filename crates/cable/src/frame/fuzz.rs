//! What `fuzz/` calls, and a property test of the same.

use serde_json::value::RawValue;

use super::command::Command;
use super::outgoing::{positioned, reply, transmission, welcome_session};
use crate::message::Position;

/// Reads a frame, and looks whether what is sent back about it is JSON with the same identifier.
///
/// # Panics
/// If it is not.
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
}
