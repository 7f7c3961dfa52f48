//! The name a client gives to one of its subscriptions.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;

/// The identifier of a subscription: a string made by the client, by custom the JSON of
/// `{"channel": "ChatChannel", ...params}`.
///
/// Clients find their subscription by comparing this string with `===`, so it is kept and sent
/// back exactly as it came; nothing is parsed and written again. Cloning is cheap.
///
/// Two identifiers are equal when the strings they mean are equal, however they were escaped.
#[derive(Clone)]
pub struct Identifier {
    /// What the client meant, unescaped.
    text: Arc<str>,
    /// How the client wrote it as a JSON string, where that is not what we would write.
    wire: Option<Arc<str>>,
}

impl Identifier {
    /// An identifier from the string it means (not JSON-quoted).
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self {
            text: text.into(),
            wire: None,
        }
    }

    /// An identifier from the JSON string token of a frame, quotes included.
    /// `None` if the token is not a JSON string.
    pub(crate) fn from_wire(token: &str) -> Option<Self> {
        let text: Cow<'_, str> = serde_json::from_str::<Borrowed<'_>>(token).ok()?.0;
        let ours = quote(&text);
        let wire = (ours != token).then(|| Arc::from(token));
        Some(Self {
            text: Arc::from(text),
            wire,
        })
    }

    /// The string as the client means it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The JSON string token to put into frames, quotes included.
    pub(crate) fn wire(&self) -> Cow<'_, str> {
        match &self.wire {
            Some(wire) => Cow::Borrowed(wire),
            None => Cow::Owned(quote(&self.text)),
        }
    }

    /// Whether the two are also written the same way, so that they can share encoded frames.
    pub(crate) fn same_wire(&self, other: &Self) -> bool {
        self.text == other.text && self.wire == other.wire
    }

    /// The `channel` member, if the identifier is a JSON object that has one.
    pub fn channel(&self) -> Option<Cow<'_, str>> {
        #[derive(Deserialize)]
        struct Head<'a> {
            #[serde(borrow)]
            channel: Cow<'a, str>,
        }
        serde_json::from_str::<Head<'_>>(&self.text)
            .ok()
            .map(|head| head.channel)
    }

    /// The members of the identifier as a type of the application (`channel` is one of them).
    ///
    /// # Errors
    /// The identifier is not JSON, or not of that shape.
    pub fn params<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.text)
    }
}

/// `Cow` borrows only as a direct field.
#[derive(Deserialize)]
struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);

/// `text` as a JSON string token.
fn quote(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}

impl PartialEq for Identifier {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Identifier {}

/// Identifiers often carry a secret (a token that is the right to subscribe), so that only the
/// channel is shown.
impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identifier")
            .field("channel", &self.channel())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_wire_form_only_where_it_differs() {
        let plain = Identifier::from_wire(r#""{\"channel\":\"A\"}""#).unwrap();
        assert!(plain.wire.is_none());
        assert_eq!(plain.wire(), r#""{\"channel\":\"A\"}""#);

        let odd = Identifier::from_wire(r#""{\u0022channel\":\"caf\u00e9\"}""#).unwrap();
        assert_eq!(odd.as_str(), r#"{"channel":"café"}"#);
        assert_eq!(odd.wire(), r#""{\u0022channel\":\"caf\u00e9\"}""#);
        assert_eq!(odd, Identifier::new(r#"{"channel":"café"}"#));
        assert!(!odd.same_wire(&Identifier::new(r#"{"channel":"café"}"#)));
    }

    #[test]
    fn reads_channel_and_params() {
        #[derive(Deserialize)]
        struct Params {
            room: u32,
        }
        let id = Identifier::new(r#"{"channel":"ChatChannel","room":7}"#);
        assert_eq!(id.channel().as_deref(), Some("ChatChannel"));
        assert_eq!(id.params::<Params>().unwrap().room, 7);
        assert_eq!(Identifier::new("not json").channel(), None);
        assert_eq!(Identifier::new(r#"{"channel":1}"#).channel(), None);
        assert!(Identifier::from_wire("7").is_none());
    }

    #[test]
    fn debug_shows_no_secret() {
        let id = Identifier::new(r#"{"channel":"LoginChannel","token":"s3cret"}"#);
        assert!(!format!("{id:?}").contains("s3cret"));
    }
}
