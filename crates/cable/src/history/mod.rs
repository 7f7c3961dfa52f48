//! What was said lately, so that those who were away can catch up.

mod query;
mod shard;
#[cfg(test)]
mod tests;

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::message::{Message, Position, Published};
use crate::sync::lock;
pub use query::{HistoryOptions, Lost, Since};
use shard::{SHARDS, Shard};

/// Histories in the memory of one process. All times are spans since the Unix epoch.
#[derive(Debug)]
pub(crate) struct History {
    options: HistoryOptions,
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
}

impl History {
    pub(crate) fn new(options: HistoryOptions) -> Self {
        let process = rand::random::<u32>();
        let shard = |at| Mutex::new(Shard::new(format!("{process:08x}{at:02x}")));
        let shards = (0..SHARDS).map(shard).collect();
        Self {
            options,
            shards,
            hasher: RandomState::new(),
        }
    }

    fn shard(&self, stream: &str) -> &Mutex<Shard> {
        &self.shards[(self.hasher.hash_one(stream) as usize) % SHARDS]
    }

    /// Numbers a message, keeps it, and hands it on, unless its key is known already. Messages to
    /// one stream are handed on one after another, in the order of their offsets.
    pub(crate) fn append(
        &self,
        stream: &str,
        message: Message,
        now: Duration,
        hand_on: impl FnOnce(&Published),
    ) {
        let mut shard = lock(self.shard(stream));
        shard.sweep(&self.options, now);
        let (stream, ring) = shard.ring(stream, now);
        if ring.knows(&message, now.saturating_sub(self.options.ttl)) {
            return;
        }
        let position = Position {
            epoch: Arc::clone(&ring.epoch),
            offset: ring.last + 1,
        };
        let published = Arc::new(Published {
            stream,
            message,
            position: Some(position.clone()),
        });
        shard.push(Arc::clone(&published), &position, now, &self.options);
        hand_on(&published);
    }

    /// Where a stream stands now.
    pub(crate) fn position(&self, stream: &str, now: Duration) -> Position {
        let mut shard = lock(self.shard(stream));
        shard.sweep(&self.options, now);
        let (_, ring) = shard.ring(stream, now);
        Position {
            epoch: Arc::clone(&ring.epoch),
            offset: ring.last,
        }
    }

    /// The messages of a stream from some point on, in order.
    pub(crate) fn since(
        &self,
        stream: &str,
        since: &Since,
        now: Duration,
    ) -> Result<Vec<Arc<Published>>, Lost> {
        let shard = lock(self.shard(stream));
        let Some(ring) = shard.streams.get(stream) else {
            return match since {
                Since::Position(_) => Err(Lost),
                Since::Start | Since::Time(_) => Ok(Vec::new()),
            };
        };
        if let Since::Position(reader) = since
            && (reader.epoch != ring.epoch || reader.offset > ring.last)
        {
            return Err(Lost);
        }
        ring.since(since, now.saturating_sub(self.options.ttl))
    }
}

/// A history whose messages are numbered elsewhere, all of one epoch and over all streams.
#[cfg(feature = "redis")]
impl History {
    /// Keeps a message that was published at some time, and hands it on: whether it is news, for
    /// its key may be known already.
    pub(crate) fn record(
        &self,
        published: &Arc<Published>,
        position: &Position,
        at: Duration,
        hand_on: impl FnOnce(bool),
    ) {
        let mut shard = lock(self.shard(&published.stream));
        shard.sweep(&self.options, at);
        let ring = shard.ring_in(&position.epoch, &published.stream, at);
        let known = ring.knows(&published.message, at.saturating_sub(self.options.ttl));
        if !known {
            shard.push(Arc::clone(published), position, at, &self.options);
        }
        hand_on(!known);
    }

    /// Does something while no message to a stream is on its way.
    pub(crate) fn at_rest<T>(&self, stream: &str, work: impl FnOnce() -> T) -> T {
        let _shard = lock(self.shard(stream));
        work()
    }

    /// The messages of a stream from some point on, in order. A position must be of this epoch.
    pub(crate) fn recorded(
        &self,
        stream: &str,
        since: &Since,
        now: Duration,
    ) -> Result<Vec<Arc<Published>>, Lost> {
        let shard = lock(self.shard(stream));
        match (shard.streams.get(stream), since) {
            (Some(ring), _) => ring.since(since, now.saturating_sub(self.options.ttl)),
            (None, Since::Position(reader)) if reader.offset < shard.forgotten => Err(Lost),
            (None, _) => Ok(Vec::new()),
        }
    }

    /// Forgets all messages of all streams, and their epochs.
    pub(crate) fn clear(&self) {
        for shard in &self.shards {
            lock(shard).clear();
        }
    }
}
