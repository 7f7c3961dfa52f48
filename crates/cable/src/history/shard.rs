//! Some of the streams of a history, behind one lock.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::query::{HistoryOptions, Lost, Since};
use crate::message::{Message, Position, Published};

/// Shards of one history, each behind its own lock; a power of two.
pub(super) const SHARDS: usize = 64;
/// What a message costs besides its text, roughly, in bytes.
const OVERHEAD: usize = 160;
/// How often a shard is looked through for what has become too old.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Shard {
    /// Begins every epoch that is made here.
    name: String,
    epochs: u64,
    pub(super) streams: HashMap<Arc<str>, Ring>,
    pub(super) bytes: usize,
    swept: Duration,
    /// The highest offset among the messages of streams that are forgotten.
    pub(super) forgotten: u64,
}

/// The latest messages of one stream.
#[derive(Debug)]
pub(super) struct Ring {
    pub(super) epoch: Arc<str>,
    /// The offset of the last message ever.
    pub(super) last: u64,
    /// The offset of the last message that is not kept any more.
    lost: u64,
    entries: VecDeque<Entry>,
    touched: Duration,
}

#[derive(Debug)]
struct Entry {
    published: Arc<Published>,
    offset: u64,
    at: Duration,
}

impl Entry {
    fn bytes(&self) -> usize {
        self.published.message.payload().len() + self.published.stream.len() + OVERHEAD
    }
}

impl Ring {
    pub(super) fn new(epoch: Arc<str>, lost: u64, now: Duration) -> Self {
        Self {
            epoch,
            last: lost,
            lost,
            entries: VecDeque::new(),
            touched: now,
        }
    }

    /// Whether a message with the same key is kept, not older than this.
    pub(super) fn knows(&self, message: &Message, oldest: Duration) -> bool {
        let same = |entry: &Entry| entry.at >= oldest && entry.published.message.key == message.key;
        message.key.is_some() && self.entries.iter().any(same)
    }

    /// The messages from some point on that are not older than this, if none is missing.
    pub(super) fn since(
        &self,
        since: &Since,
        oldest: Duration,
    ) -> Result<Vec<Arc<Published>>, Lost> {
        if let Since::Position(reader) = since {
            let old = self.entries.iter().take_while(|entry| entry.at < oldest);
            let lost = old.last().map_or(self.lost, |entry| entry.offset);
            if reader.offset < lost {
                return Err(Lost);
            }
        }
        let wanted = |entry: &&Entry| {
            entry.at >= oldest
                && match since {
                    Since::Start => true,
                    Since::Position(reader) => entry.offset > reader.offset,
                    Since::Time(time) => entry.at >= *time,
                }
        };
        let entries = self.entries.iter().filter(wanted);
        Ok(entries.map(|entry| Arc::clone(&entry.published)).collect())
    }

    fn forget_first(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            self.lost = entry.offset;
        }
    }

    /// Forgets the messages from the first on for which this is so.
    fn forget_while(&mut self, so: impl Fn(Duration) -> bool) {
        while self.entries.front().is_some_and(|entry| so(entry.at)) {
            self.forget_first();
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.entries.iter().map(Entry::bytes).sum()
    }
}

impl Shard {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            epochs: 0,
            streams: HashMap::new(),
            bytes: 0,
            swept: Duration::ZERO,
            forgotten: 0,
        }
    }

    /// The history of a stream, begun in an epoch of its own if there is none.
    pub(super) fn ring(&mut self, stream: &str, now: Duration) -> (Arc<str>, &mut Ring) {
        let key = match self.streams.get_key_value(stream) {
            Some((key, _)) => Arc::clone(key),
            None => Arc::from(stream),
        };
        let ring = self.streams.entry(Arc::clone(&key)).or_insert_with(|| {
            self.epochs += 1;
            let epoch = format!("{}{:x}", self.name, self.epochs).into();
            Ring::new(epoch, 0, now)
        });
        ring.touched = now;
        (key, ring)
    }

    /// The history of a stream whose messages are numbered elsewhere.
    #[cfg(feature = "redis")]
    pub(super) fn ring_in(
        &mut self,
        epoch: &Arc<str>,
        stream: &Arc<str>,
        now: Duration,
    ) -> &mut Ring {
        let lost = self.forgotten;
        let ring = self
            .streams
            .entry(Arc::clone(stream))
            .or_insert_with(|| Ring::new(Arc::clone(epoch), lost, now));
        ring.touched = now;
        ring
    }

    /// Keeps a message as the latest of its stream, which has a ring.
    pub(super) fn push(
        &mut self,
        published: Arc<Published>,
        position: &Position,
        at: Duration,
        options: &HistoryOptions,
    ) {
        let Some(ring) = self.streams.get_mut(&published.stream) else {
            return;
        };
        let before = ring.entries.len();
        let entry = Entry {
            offset: position.offset,
            published,
            at,
        };
        ring.last = entry.offset;
        let mut bytes = self.bytes + entry.bytes();
        ring.entries.push_back(entry);
        if before >= options.messages {
            let surplus = ring.entries.len() - options.messages;
            bytes -= ring
                .entries
                .iter()
                .take(surplus)
                .map(Entry::bytes)
                .sum::<usize>();
            (0..surplus).for_each(|_| ring.forget_first());
        }
        self.bytes = bytes;
        if self.bytes > options.bytes / SHARDS {
            self.shed();
        }
    }

    /// Forgets what is too old.
    pub(super) fn sweep(&mut self, options: &HistoryOptions, now: Duration) {
        if now < self.swept + SWEEP_EVERY.min(options.ttl) {
            return;
        }
        self.swept = now;
        let oldest = now.saturating_sub(options.ttl);
        let (mut bytes, mut forgotten) = (0, self.forgotten);
        self.streams.retain(|_, ring| {
            ring.forget_while(|at| at < oldest);
            bytes += ring.bytes();
            let stays = !ring.entries.is_empty() || ring.touched >= oldest;
            if !stays {
                forgotten = forgotten.max(ring.last);
            }
            stays
        });
        (self.bytes, self.forgotten) = (bytes, forgotten);
        if self.streams.len() * 4 < self.streams.capacity() {
            self.streams.shrink_to_fit();
        }
    }

    /// Forgets everything, for another epoch begins.
    #[cfg(feature = "redis")]
    pub(super) fn clear(&mut self) {
        self.streams.clear();
        (self.bytes, self.forgotten) = (0, 0);
    }

    /// Forgets the older half, for lack of room.
    fn shed(&mut self) {
        let entries = self.streams.values().flat_map(|ring| &ring.entries);
        let mut times: Vec<Duration> = entries.map(|entry| entry.at).collect();
        if times.is_empty() {
            return;
        }
        let middle = times.len() / 2;
        let (_, median, _) = times.select_nth_unstable(middle);
        let median = *median;
        self.bytes = 0;
        for ring in self.streams.values_mut() {
            ring.forget_while(|at| at <= median);
            self.bytes += ring.bytes();
        }
    }
}
