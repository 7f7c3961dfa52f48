//! What is kept in Redis: histories, and sessions that can be resumed.

use std::sync::Arc;

use redis::streams::{StreamId, StreamRangeReply};
use redis::{Cmd, RedisResult};

use super::log::{LogId, message};
use super::{Lost, SavedSession, Shared, Since, milliseconds, new_epoch, script};
use crate::message::{Position, Published};

/// A message of a history, and where it is in the log.
pub(super) type Kept = (LogId, Arc<Published>);

impl Shared {
    pub(super) async fn position(&self, stream: &str) -> RedisResult<Position> {
        let (epoch, offset): (String, u64) = script::POSITION
            .key(self.key("head", stream))
            .key(self.key("history", stream))
            .arg(new_epoch())
            .arg(milliseconds(self.options.history.ttl))
            .invoke_async(&mut self.connection.clone())
            .await?;
        Ok(Position {
            epoch: epoch.into(),
            offset,
        })
    }

    /// What is kept of a stream, with the place of each message in the log, and the position of
    /// the last.
    pub(super) async fn kept(&self, stream: &str) -> RedisResult<(Option<Position>, Vec<Kept>)> {
        type Head = (Option<String>, Option<u64>);
        let (head, entries): (Head, StreamRangeReply) = redis::pipe()
            .atomic()
            .cmd("HMGET")
            .arg(self.key("head", stream))
            .arg(&["epoch", "offset"])
            .cmd("XRANGE")
            .arg(self.key("history", stream))
            .arg("-")
            .arg("+")
            .query_async(&mut self.connection.clone())
            .await?;
        let (Some(epoch), Some(offset)) = head else {
            return Ok((None, Vec::new()));
        };
        let (stream, epoch) = (Arc::from(stream), Arc::from(epoch));
        let entries = entries.ids.iter();
        let entries = entries
            .filter_map(|entry| kept(&stream, &epoch, entry))
            .collect();
        Ok((Some(Position { epoch, offset }), entries))
    }

    pub(super) async fn history(
        &self,
        stream: &str,
        since: Since,
    ) -> RedisResult<Result<Vec<Arc<Published>>, Lost>> {
        let (last, entries) = self.kept(stream).await?;
        if let Since::Position(reader) = &since {
            let first = entries
                .first()
                .and_then(|(_, published)| published.position.clone());
            let known = last.is_some_and(|last| {
                let first = first.map_or(last.offset + 1, |first| first.offset);
                reader.reached_by(&last) && reader.offset + 1 >= first
            });
            if !known {
                return Ok(Err(Lost));
            }
        }
        let wanted = |(at, published): &Kept| match &since {
            Since::Start => true,
            Since::Position(reader) => published
                .position
                .as_ref()
                .is_some_and(|position| !position.reached_by(reader)),
            Since::Time(time) => at.time >= milliseconds(*time),
        };
        let entries = entries
            .into_iter()
            .filter(wanted)
            .map(|(_, published)| published);
        Ok(Ok(entries.collect()))
    }

    pub(super) async fn find_session(&self, sid: &str) -> RedisResult<Option<SavedSession>> {
        let mut command = redis::cmd("GET");
        command.arg(self.key("session", sid));
        let text: Option<String> = command.query_async(&mut self.connection.clone()).await?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Keeps a session for its time to live; one without subscriptions is not worth it.
    pub(super) fn save(&self, sid: &str, session: &SavedSession) -> Cmd {
        if session.subscriptions.is_empty() {
            return self.forget(sid);
        }
        // Writing a session as JSON cannot fail: its keys are strings.
        let text = serde_json::to_string(session).unwrap_or_default();
        let mut command = redis::cmd("SET");
        command.arg(self.key("session", sid)).arg(text);
        command.arg("PX").arg(self.session_ttl());
        command
    }

    pub(super) fn touch(&self, sid: &str) -> Cmd {
        let mut command = redis::cmd("PEXPIRE");
        command
            .arg(self.key("session", sid))
            .arg(self.session_ttl());
        command
    }

    pub(super) fn forget(&self, sid: &str) -> Cmd {
        let mut command = redis::cmd("DEL");
        command.arg(self.key("session", sid));
        command
    }

    fn session_ttl(&self) -> u64 {
        milliseconds(self.options.history.session_ttl)
    }
}

/// An entry of a history.
fn kept(stream: &Arc<str>, epoch: &Arc<str>, entry: &StreamId) -> Option<Kept> {
    let field = |name: &str| entry.get::<String>(name);
    let position = Position {
        epoch: Arc::clone(epoch),
        offset: entry.id.split('-').next()?.parse().ok()?,
    };
    let published = Published {
        stream: Arc::clone(stream),
        message: message(field("p")?, &field("k")?, "")?,
        position: Some(position),
    };
    Some((field("l")?.parse().ok()?, Arc::new(published)))
}
