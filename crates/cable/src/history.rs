//! What was said lately, so that those who were away can catch up.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::message::{Message, Position, Published};
use crate::sync::lock;

/// How much is remembered.
#[derive(Clone, Copy, Debug)]
pub struct HistoryOptions {
    /// Messages kept of each stream; by default 100 (as AnyCable's `history_limit`).
    pub messages: usize,
    /// How long a message is kept, by default 15 minutes. Also how long a stream without
    /// messages keeps its epoch.
    pub ttl: Duration,
    /// Bytes kept of all streams of a process together, approximately; by default 64 MiB. The
    /// oldest go first.
    pub bytes: usize,
    /// How long after its connection ended a session may be resumed; by default 5 minutes.
    pub session_ttl: Duration,
}

impl Default for HistoryOptions {
    fn default() -> Self {
        Self {
            messages: 100,
            ttl: Duration::from_secs(15 * 60),
            bytes: 64 * 1024 * 1024,
            session_ttl: Duration::from_secs(5 * 60),
        }
    }
}

/// From where on someone wants to catch up with a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Since {
    /// Everything that is kept.
    Start,
    /// What came after this position.
    Position(Position),
    /// What came at or after this time, as the span since the Unix epoch.
    Time(Duration),
}

/// The wish cannot be met: the epoch is another one, or messages after the position are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost;

const SHARDS: usize = 64;
/// What a message costs besides its text, roughly, in bytes.
const OVERHEAD: usize = 160;
/// How often a shard is looked through for what has become too old.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

/// Histories in the memory of one process. All times are spans since the Unix epoch.
#[derive(Debug)]
pub(crate) struct History {
    options: HistoryOptions,
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
}

#[derive(Debug)]
struct Shard {
    /// Begins every epoch of this shard in this process.
    name: String,
    epochs: u64,
    streams: HashMap<Arc<str>, Ring>,
    bytes: usize,
    swept: Duration,
}

/// The latest messages of one stream.
#[derive(Debug)]
struct Ring {
    epoch: Arc<str>,
    /// The offset of the last message ever.
    last: u64,
    entries: VecDeque<Entry>,
    touched: Duration,
}

#[derive(Debug)]
struct Entry {
    published: Arc<Published>,
    at: Duration,
}

impl Entry {
    fn bytes(&self) -> usize {
        self.published.message.payload().len() + self.published.stream.len() + OVERHEAD
    }
}

impl History {
    pub(crate) fn new(options: HistoryOptions) -> Self {
        let process = rand::random::<u32>();
        let shard = |at| {
            Mutex::new(Shard {
                name: format!("{process:08x}{at:02x}"),
                epochs: 0,
                streams: HashMap::new(),
                bytes: 0,
                swept: Duration::ZERO,
            })
        };
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
        hand_on: impl FnOnce(&Arc<Published>),
    ) {
        let mut shard = lock(self.shard(stream));
        shard.sweep(&self.options, now);
        let (name, ring) = shard.ring(stream, now);
        if ring.knows(&message, now.saturating_sub(self.options.ttl)) {
            return;
        }
        ring.last += 1;
        let position = Some(Position {
            epoch: Arc::clone(&ring.epoch),
            offset: ring.last,
        });
        let published = Arc::new(Published {
            stream: name,
            message,
            position,
        });
        let entry = Entry {
            published: Arc::clone(&published),
            at: now,
        };
        let mut bytes = entry.bytes();
        ring.entries.push_back(entry);
        let mut freed = 0;
        while ring.entries.len() > self.options.messages {
            freed += ring.entries.pop_front().map_or(0, |entry| entry.bytes());
        }
        bytes += shard.bytes;
        shard.bytes = bytes.saturating_sub(freed);
        if shard.bytes > self.options.bytes / SHARDS {
            shard.shed();
        }
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
        let oldest = now.saturating_sub(self.options.ttl);
        if let Since::Position(position) = since {
            let alive = ring.entries.iter().find(|entry| entry.at >= oldest);
            let first = alive.map_or(ring.last + 1, |entry| entry.offset());
            let known = position.epoch == ring.epoch
                && position.offset <= ring.last
                && position.offset + 1 >= first;
            if !known {
                return Err(Lost);
            }
        }
        let wanted = |entry: &&Entry| {
            entry.at >= oldest
                && match since {
                    Since::Start => true,
                    Since::Position(position) => entry.offset() > position.offset,
                    Since::Time(time) => entry.at >= *time,
                }
        };
        Ok(ring
            .entries
            .iter()
            .filter(wanted)
            .map(|entry| Arc::clone(&entry.published))
            .collect())
    }
}

impl Entry {
    fn offset(&self) -> u64 {
        self.published
            .position
            .as_ref()
            .map_or(0, |position| position.offset)
    }
}

impl Ring {
    /// Whether a message with the same key is kept, not older than this.
    fn knows(&self, message: &Message, oldest: Duration) -> bool {
        let same = |entry: &Entry| entry.at >= oldest && entry.published.message.key == message.key;
        message.key.is_some() && self.entries.iter().any(same)
    }
}

impl Shard {
    /// The history of a stream, begun if there is none.
    fn ring(&mut self, stream: &str, now: Duration) -> (Arc<str>, &mut Ring) {
        let key = match self.streams.get_key_value(stream) {
            Some((key, _)) => Arc::clone(key),
            None => Arc::from(stream),
        };
        let ring = self.streams.entry(Arc::clone(&key)).or_insert_with(|| {
            self.epochs += 1;
            let epoch = format!("{}{:x}", self.name, self.epochs).into();
            Ring {
                epoch,
                last: 0,
                entries: VecDeque::new(),
                touched: now,
            }
        });
        ring.touched = now;
        (key, ring)
    }

    /// Forgets what is too old.
    fn sweep(&mut self, options: &HistoryOptions, now: Duration) {
        if now < self.swept + SWEEP_EVERY.min(options.ttl) {
            return;
        }
        self.swept = now;
        let oldest = now.saturating_sub(options.ttl);
        let mut bytes = 0;
        self.streams.retain(|_, ring| {
            while ring.entries.front().is_some_and(|entry| entry.at < oldest) {
                ring.entries.pop_front();
            }
            bytes += ring.entries.iter().map(Entry::bytes).sum::<usize>();
            !ring.entries.is_empty() || ring.touched >= oldest
        });
        self.bytes = bytes;
        if self.streams.len() * 4 < self.streams.capacity() {
            self.streams.shrink_to_fit();
        }
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
        let mut bytes = 0;
        for ring in self.streams.values_mut() {
            let keep_from = ring.entries.partition_point(|entry| entry.at <= median);
            ring.entries.drain(..keep_from);
            bytes += ring.entries.iter().map(Entry::bytes).sum::<usize>();
        }
        self.bytes = bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: HistoryOptions = HistoryOptions {
        messages: 3,
        ttl: Duration::from_secs(100),
        bytes: 64 * 1024 * 1024,
        session_ttl: Duration::from_secs(100),
    };

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(1_700_000_000 + seconds)
    }

    fn say(history: &History, stream: &str, n: u64, seconds: u64) -> Position {
        let mut position = None;
        history.append(
            stream,
            serde_json::json!(n).into(),
            at(seconds),
            |published| {
                position = published.position.clone();
            },
        );
        position.unwrap()
    }

    fn payloads(result: Result<Vec<Arc<Published>>, Lost>) -> Result<Vec<String>, Lost> {
        Ok(result?
            .iter()
            .map(|published| published.message.payload().to_owned())
            .collect())
    }

    #[test]
    fn counts_and_gives_back_what_came_after() {
        let history = History::new(OPTIONS);
        let before = history.position("s", at(0));
        assert_eq!(before.offset, 0);
        let first = say(&history, "s", 1, 1);
        assert_eq!(
            first,
            Position {
                epoch: before.epoch.clone(),
                offset: 1
            }
        );
        say(&history, "s", 2, 2);
        say(&history, "t", 9, 2);
        let since = |since| payloads(history.since("s", &since, at(3)));
        assert_eq!(since(Since::Position(before)).unwrap(), ["1", "2"]);
        assert_eq!(since(Since::Position(first.clone())).unwrap(), ["2"]);
        assert_eq!(since(Since::Time(at(2))).unwrap(), ["2"]);
        assert_eq!(since(Since::Time(at(3))).unwrap(), [""; 0]);
        assert_eq!(since(Since::Start).unwrap(), ["1", "2"]);
        let ahead = Position {
            offset: 3,
            ..first.clone()
        };
        assert_eq!(since(Since::Position(ahead)), Err(Lost));
        let elsewhere = Position {
            epoch: "other".into(),
            ..first
        };
        assert_eq!(since(Since::Position(elsewhere)), Err(Lost));
    }

    #[test]
    fn says_so_when_messages_are_gone() {
        let history = History::new(OPTIONS);
        let positions: Vec<_> = (1..=5).map(|n| say(&history, "s", n, n)).collect();
        let since = |n: usize| {
            payloads(history.since("s", &Since::Position(positions[n - 1].clone()), at(6)))
        };
        assert_eq!(since(1), Err(Lost));
        assert_eq!(since(2).unwrap(), ["3", "4", "5"]);
        assert_eq!(since(5).unwrap(), [""; 0]);
    }

    #[test]
    fn old_messages_are_gone_also_before_they_are_swept() {
        let history = History::new(OPTIONS);
        let first = say(&history, "s", 1, 0);
        let second = say(&history, "s", 2, 90);
        let now = at(101);
        assert_eq!(
            payloads(history.since("s", &Since::Start, now)).unwrap(),
            ["2"]
        );
        let from = |position: &Position| {
            payloads(history.since("s", &Since::Position(position.clone()), now))
        };
        assert_eq!(
            from(&first).unwrap(),
            ["2"],
            "nothing after the first is gone"
        );
        assert_eq!(from(&Position { offset: 0, ..first }), Err(Lost));
        // Swept but in use, the stream keeps counting; forgotten, it begins another epoch.
        assert_eq!(history.position("s", at(150)), second);
        let third = say(&history, "s", 3, 195);
        assert_eq!(
            third,
            Position {
                offset: 3,
                ..second
            }
        );
        assert_ne!(history.position("s", at(300)).epoch, third.epoch);
    }

    #[test]
    fn a_key_is_taken_once_while_it_is_remembered() {
        let history = History::new(OPTIONS);
        let say = |key: &str, seconds| {
            let mut taken = false;
            let message = Message::from(serde_json::json!(seconds)).with_key(key);
            history.append("s", message, at(seconds), |_| taken = true);
            taken
        };
        assert!(say("a", 0));
        assert!(say("b", 1));
        assert!(!say("a", 2));
        assert!(!say("a", 100));
        assert!(say("a", 101));
    }

    #[test]
    fn bytes_are_bounded() {
        let history = History::new(HistoryOptions {
            bytes: 64 * 1000,
            messages: 1000,
            ..OPTIONS
        });
        for n in 0..10_000 {
            say(&history, &format!("stream {}", n % 500), n, n / 1000);
        }
        let held: usize = history.shards.iter().map(|shard| lock(shard).bytes).sum();
        assert!(held <= 64 * 1000, "{held}");
        let real: usize = history
            .shards
            .iter()
            .map(|shard| {
                let shard = lock(shard);
                shard
                    .streams
                    .values()
                    .flat_map(|r| &r.entries)
                    .map(Entry::bytes)
                    .sum::<usize>()
            })
            .sum();
        assert_eq!(held, real);
    }
}
