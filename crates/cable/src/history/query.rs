//! How much a history keeps, and what can be asked of it.

use std::time::Duration;

use crate::message::Position;

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
