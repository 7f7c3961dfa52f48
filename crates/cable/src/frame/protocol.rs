//! The names of the protocols.

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
