//! How messages travel between the processes that serve one cable, and what they remember.

pub mod memory;
#[cfg(feature = "redis")]
pub mod redis;

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use futures_util::future::BoxFuture;

use crate::hub::Hub;
use crate::message::{Message, Position, Published};
use crate::options::Disconnect;
use crate::registry::Registry;
use crate::stats::Counters;

pub use crate::history::{Lost, Since};
pub use crate::resume::SavedSession;

/// Carries broadcasts to every process of a cable, this one included, and keeps what those who
/// were away need.
///
/// What does not return a future must not block.
pub trait Fanout: Send + Sync + 'static {
    /// Called once, before anything else: where to deliver what arrives.
    fn start(&self, local: Local);

    /// Carries a message to all who follow a stream. Messages to one stream from one process
    /// arrive in order. One whose key the history of the stream knows is dropped.
    fn publish(&self, stream: &str, message: Message);

    /// Carries a message as [`publish`](Self::publish) does, and tells how that ended: `true` once
    /// it is where every process and those who come later find it, `false` if it was given up.
    /// The default is for a fan-out whose `publish` has done its work when it returns.
    fn publish_acknowledged(&self, stream: &str, message: Message) -> BoxFuture<'static, bool> {
        self.publish(stream, message);
        Box::pin(ready(true))
    }

    /// Ends the connections that answer to a tag, in every process.
    fn disconnect(&self, tag: &str, disconnect: Disconnect);

    /// Where a stream stands: what is delivered later has a later position. `None` if that
    /// cannot be said now.
    fn position<'a>(&'a self, stream: &'a str) -> BoxFuture<'a, Option<Position>>;

    /// The messages of a stream from some point on, in order.
    fn history<'a>(
        &'a self,
        stream: &'a str,
        since: Since,
    ) -> BoxFuture<'a, Result<Vec<Arc<Published>>, Lost>>;

    /// Keeps a session for its time to live from now on, replacing what was kept.
    fn save_session(&self, sid: &str, session: SavedSession);

    /// Keeps a session that is still alive for its time to live from now on.
    fn touch_session(&self, sid: &str);

    /// The session that was kept.
    fn find_session<'a>(&'a self, sid: &'a str) -> BoxFuture<'a, Option<SavedSession>>;

    /// Forgets a session that must not be resumed.
    fn forget_session(&self, sid: &str);

    /// Waits until everything that was handed over has arrived.
    fn flush(&self) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }
}

/// The connections of this process, as a [`Fanout`] sees them.
#[derive(Clone, Debug)]
pub struct Local {
    hub: Arc<Hub>,
    registry: Arc<Registry>,
    counters: Arc<Counters>,
}

impl Local {
    pub(crate) fn new(hub: Arc<Hub>, registry: Arc<Registry>, counters: Arc<Counters>) -> Self {
        Self {
            hub,
            registry,
            counters,
        }
    }

    /// Puts a message into the queues of all who follow its stream here. Messages to one stream
    /// must be delivered one after another, in order.
    pub fn deliver(&self, published: &Published) {
        self.hub.deliver(published);
    }

    /// Says that messages to streams that are followed here may have been lost for good. Within a
    /// round of pings every subscription is told what exists, as a new subscriber would be, but
    /// only what has a [key](Message::with_key) that it has not had.
    pub fn interrupted(&self) {
        self.registry.refresh_all();
    }

    /// Counts a message that cannot be carried and is given up ([`Stats::lost`](crate::Stats)).
    pub fn count_lost(&self) {
        self.counters.lost.fetch_add(1, Relaxed);
    }

    /// Counts that the fan-out had to connect again ([`Stats::reconnections`](crate::Stats)).
    pub fn count_reconnection(&self) {
        self.counters.reconnections.fetch_add(1, Relaxed);
    }

    /// Counts what was missed during an absence and read later ([`Stats::recovered`](crate::Stats)).
    pub fn count_recovered(&self, news: usize) {
        self.counters.recovered.fetch_add(news as u64, Relaxed);
    }

    /// Ends the connections that answer to a tag here.
    pub fn disconnect(&self, tag: &str, disconnect: &Disconnect) {
        self.registry.disconnect(tag, disconnect);
    }
}
