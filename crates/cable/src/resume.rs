//! What is kept of a session so that its client can go on where it was.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::identifier::Identifier;
use crate::message::Position;
use crate::sync::lock;

/// A session as it is kept for resumption: its subscriptions and where their streams stood.
/// Serializable, so that another process can take the session over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SavedSession {
    /// Each confirmed subscription, in the order they were made.
    pub(crate) subscriptions: Vec<SavedSubscription>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SavedSubscription {
    /// The identifier as a JSON string token.
    identifier: String,
    /// Where each stream stood when the subscription was attached to it: stream, epoch, offset.
    positions: Vec<(String, String, u64)>,
    receipt: Receipt,
}

/// What a client is known to have received of what has no position.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Receipt {
    /// Whether it has what existed when it subscribed.
    pub(crate) state: bool,
    /// Idempotency keys of messages it has.
    pub(crate) keys: Vec<String>,
}

impl SavedSubscription {
    pub(crate) fn new<'a>(
        identifier: &Identifier,
        positions: impl Iterator<Item = (&'a str, &'a Position)>,
        receipt: Receipt,
    ) -> Self {
        let identifier = identifier.wire().into_owned();
        let positions = positions
            .map(|(stream, at)| (stream.to_owned(), at.epoch.as_ref().to_owned(), at.offset))
            .collect();
        Self {
            identifier,
            positions,
            receipt,
        }
    }

    pub(crate) fn identifier(&self) -> Option<Identifier> {
        Identifier::from_wire(&self.identifier)
    }

    pub(crate) fn receipt(&self) -> Receipt {
        self.receipt.clone()
    }

    /// Where a stream stood.
    pub(crate) fn position(&self, stream: &str) -> Option<Position> {
        let (_, epoch, offset) = self.positions.iter().find(|(name, ..)| name == stream)?;
        Some(Position {
            epoch: epoch.as_str().into(),
            offset: *offset,
        })
    }
}

/// Sessions in the memory of one process. All times are spans since the Unix epoch.
#[derive(Debug)]
pub(crate) struct Sessions {
    ttl: Duration,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    sessions: HashMap<String, (SavedSession, Duration)>,
    swept: Duration,
}

impl Sessions {
    pub(crate) fn new(ttl: Duration) -> Self {
        Self {
            ttl,
            kept: Mutex::default(),
        }
    }

    /// Keeps a session; one without subscriptions is not worth it.
    pub(crate) fn save(&self, sid: &str, session: SavedSession, now: Duration) {
        let mut kept = lock(&self.kept);
        if session.subscriptions.is_empty() {
            kept.sessions.remove(sid);
        } else {
            kept.sessions
                .insert(sid.to_owned(), (session, now + self.ttl));
        }
        if now >= kept.swept + self.ttl / 4 {
            kept.swept = now;
            kept.sessions.retain(|_, (_, until)| *until > now);
        }
    }

    /// Keeps a session longer.
    pub(crate) fn touch(&self, sid: &str, now: Duration) {
        if let Some((_, until)) = lock(&self.kept).sessions.get_mut(sid) {
            *until = now + self.ttl;
        }
    }

    pub(crate) fn find(&self, sid: &str, now: Duration) -> Option<SavedSession> {
        let kept = lock(&self.kept);
        let (session, until) = kept.sessions.get(sid)?;
        (*until > now).then(|| session.clone())
    }

    pub(crate) fn forget(&self, sid: &str) {
        lock(&self.kept).sessions.remove(sid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_kept_as_long_as_they_are_touched() {
        let at = Duration::from_secs;
        let sessions = Sessions::new(at(100));
        let position = Position {
            epoch: "e".into(),
            offset: 3,
        };
        let identifier = Identifier::new("a");
        let subscription = SavedSubscription::new(
            &identifier,
            [("s", &position)].into_iter(),
            Receipt {
                state: true,
                keys: vec!["k".into()],
            },
        );
        let session = SavedSession {
            subscriptions: vec![subscription],
        };
        sessions.save("x", session.clone(), at(0));
        sessions.touch("x", at(60));
        assert_eq!(sessions.find("x", at(159)), Some(session.clone()));
        assert_eq!(sessions.find("x", at(160)), None);
        sessions.save("y", session.clone(), at(200));
        assert_eq!(
            lock(&sessions.kept).sessions.len(),
            1,
            "the old one is swept"
        );
        sessions.save("y", SavedSession::default(), at(201));
        assert_eq!(sessions.find("y", at(201)), None);

        let found = &session.subscriptions[0];
        assert_eq!(found.identifier(), Some(identifier));
        assert_eq!(found.position("s"), Some(position));
        assert_eq!(found.position("t"), None);
        let text = serde_json::to_string(&session).unwrap();
        assert_eq!(
            serde_json::from_str::<SavedSession>(&text).unwrap(),
            session
        );
    }
}
