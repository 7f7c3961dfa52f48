//! Counters, for metrics and for tests.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// A moment's numbers of a cable. The first three are levels, the others only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Connections now open.
    pub connections: u64,
    /// Subscriptions now confirmed.
    pub subscriptions: u64,
    /// Streams now followed by someone here.
    pub streams: u64,
    /// Connections ever opened.
    pub connected: u64,
    /// Messages broadcast from this process.
    pub broadcasts: u64,
    /// Messages handed to connections (written, not necessarily received).
    pub delivered: u64,
    /// Messages sent again from the history.
    pub replayed: u64,
    /// Sessions resumed.
    pub resumed: u64,
    /// Subscriptions rejected.
    pub rejected: u64,
    /// Frames that were not understood and ignored.
    pub malformed: u64,
    /// Connections dropped because they read too slowly.
    pub slow_readers: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) connections: AtomicU64,
    pub(crate) subscriptions: AtomicU64,
    pub(crate) streams: AtomicU64,
    pub(crate) connected: AtomicU64,
    pub(crate) broadcasts: AtomicU64,
    pub(crate) delivered: AtomicU64,
    pub(crate) replayed: AtomicU64,
    pub(crate) resumed: AtomicU64,
    pub(crate) rejected: AtomicU64,
    pub(crate) malformed: AtomicU64,
    pub(crate) slow_readers: AtomicU64,
}

impl Counters {
    pub(crate) fn read(&self) -> Stats {
        Stats {
            connections: self.connections.load(Relaxed),
            subscriptions: self.subscriptions.load(Relaxed),
            streams: self.streams.load(Relaxed),
            connected: self.connected.load(Relaxed),
            broadcasts: self.broadcasts.load(Relaxed),
            delivered: self.delivered.load(Relaxed),
            replayed: self.replayed.load(Relaxed),
            resumed: self.resumed.load(Relaxed),
            rejected: self.rejected.load(Relaxed),
            malformed: self.malformed.load(Relaxed),
            slow_readers: self.slow_readers.load(Relaxed),
        }
    }
}
