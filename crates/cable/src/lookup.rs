//! What is looked up in the history of streams for one subscription.

use std::sync::Arc;

use crate::frame::HistoryRequest;
use crate::history::{Lost, Since};
use crate::inner::Inner;
use crate::message::{Message, Position, Published};

/// A message of [`Application::confirmed`](crate::Application::confirmed), and where it stands if it was also broadcast.
pub(crate) struct Existing {
    pub(crate) message: Message,
    pub(crate) position: Option<(Arc<str>, Position)>,
}

impl Inner {
    pub(crate) async fn positions(&self, streams: &[Arc<str>]) -> Vec<Option<Position>> {
        let mut positions = Vec::with_capacity(streams.len());
        for stream in streams {
            positions.push(self.fanout.position(stream).await);
        }
        positions
    }

    pub(crate) async fn read(
        &self,
        since: &[(Arc<str>, Since)],
    ) -> Result<Vec<Arc<Published>>, Lost> {
        let mut all = Vec::new();
        for (stream, since) in since {
            all.append(&mut self.fanout.history(stream, since.clone()).await?);
        }
        Ok(all)
    }

    /// The keys of the messages that a client says it has passed. Without them, what exists could
    /// be told again to someone who heard it live on an earlier connection.
    pub(crate) async fn passed(
        &self,
        streams: &[Arc<str>],
        request: Option<&HistoryRequest>,
    ) -> Vec<Arc<str>> {
        let mut keys = Vec::new();
        for stream in streams {
            let Some(reader) = request.and_then(|request| request.position(stream)) else {
                continue;
            };
            let Ok(kept) = self.fanout.history(stream, Since::Start).await else {
                continue;
            };
            let passed = kept.iter().filter(|published| {
                let position = published.position.as_ref();
                position.is_some_and(|position| position.reached_by(&reader))
            });
            keys.extend(passed.filter_map(|published| published.message.key.clone()));
        }
        keys
    }

    /// Finds where existing messages stand in the history, and leaves out those that the client
    /// has passed by its own account.
    pub(crate) async fn locate(
        &self,
        existing: &mut Vec<Existing>,
        streams: &[Arc<str>],
        request: Option<&HistoryRequest>,
    ) {
        if existing
            .iter()
            .all(|existing| existing.message.key.is_none())
        {
            return;
        }
        for stream in streams {
            let Ok(kept) = self.fanout.history(stream, Since::Start).await else {
                continue;
            };
            let reader = request.and_then(|request| request.position(stream));
            existing.retain_mut(|Existing { message, position }| {
                let same = |published: &&Arc<Published>| {
                    message.key.is_some() && published.message.key == message.key
                };
                let found = kept
                    .iter()
                    .find(same)
                    .and_then(|found| found.position.clone());
                let Some(found) = found else { return true };
                let passed = reader
                    .as_ref()
                    .is_some_and(|reader| found.reached_by(reader));
                *position = Some((Arc::clone(stream), found));
                !passed
            });
        }
    }
}
