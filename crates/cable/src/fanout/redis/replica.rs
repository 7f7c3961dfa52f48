//! What this process knows of the log: the histories that follow from it, and how far it is.
//!
//! Positions are of the whole log: an offset is the number of a message among everything that was
//! published in an epoch. So every process finds the same ones without asking.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::log::{Entry, News};
use super::{Local, Lost, Since};
use crate::history::{History, HistoryOptions};
use crate::message::{Position, Published};

/// How long a client is waited for that is ahead of this process.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct Replica {
    history: History,
    place: watch::Sender<Place>,
}

/// How far the log was read.
#[derive(Clone, Debug, Default)]
struct Place {
    epoch: Arc<str>,
    /// The last offset that was handed on.
    offset: u64,
    /// What came up to here may not be in the histories.
    floor: u64,
}

impl Place {
    fn position(&self) -> Position {
        Position {
            epoch: Arc::clone(&self.epoch),
            offset: self.offset,
        }
    }
}

impl Replica {
    pub(super) fn new(options: HistoryOptions) -> Self {
        Self {
            history: History::new(options),
            place: watch::Sender::default(),
        }
    }

    /// Whether an entry comes next.
    pub(super) fn expects(&self, entry: &Entry) -> bool {
        let place = self.place.borrow();
        *place.epoch == *entry.epoch && place.offset == entry.before
    }

    /// Whether this is another epoch than the replica's.
    pub(super) fn is_elsewhere(&self, epoch: &str) -> bool {
        *self.place.borrow().epoch != *epoch
    }

    /// Whether it has not come as far as this.
    pub(super) fn is_behind(&self, offset: u64) -> bool {
        self.place.borrow().offset < offset
    }

    /// Moves to a place in the log without having read what is before it. Whether it was there
    /// already.
    pub(super) fn enter(&self, epoch: &str, before: u64) -> bool {
        let place = self.place.borrow().clone();
        if *place.epoch != *epoch {
            // Nowhere in between, so that nobody takes what is being forgotten for complete.
            self.place.send_replace(Place::default());
            self.history.clear();
        } else if place.offset == before {
            return true;
        }
        self.place.send_replace(Place {
            epoch: epoch.into(),
            offset: before,
            floor: before,
        });
        false
    }

    /// Takes in an entry, which must be where the replica stands, and hands on what is news here.
    pub(super) fn take(&self, entry: &Entry, local: Option<&Local>) -> usize {
        let mut position = self.place.borrow().position();
        let news = entry.news();
        let count = news.len();
        for news in news {
            position.offset += 1;
            let arrive = || {
                let offset = position.offset;
                self.place.send_modify(|place| place.offset = offset);
            };
            match news {
                News::Message(said) => {
                    let published = Arc::new(said.published(Some(position.clone())));
                    let at = entry.id.time();
                    // Moved on before anyone else can look at the stream.
                    self.history.record(&published, &position, at, |fresh| {
                        arrive();
                        if let (true, Some(local)) = (fresh, local) {
                            local.deliver(&published);
                        }
                    });
                }
                News::Disconnect(order) => {
                    arrive();
                    if let Some(local) = local {
                        local.disconnect(&order.tag, &order.disconnect());
                    }
                }
            }
        }
        count
    }

    /// Where a stream stands: what is delivered later has a later position.
    pub(super) fn position(&self, stream: &str) -> Position {
        let position = || self.place.borrow().position();
        self.history.at_rest(stream, position)
    }

    /// The messages of a stream from some point on. A client that was served by a process which is
    /// ahead of this one waits until this one is as far.
    pub(super) async fn since(
        &self,
        stream: &str,
        since: &Since,
        now: Duration,
    ) -> Result<Vec<Arc<Published>>, Lost> {
        let Since::Position(reader) = since else {
            return self.history.recorded(stream, since, now);
        };
        let mut place = self.place.subscribe();
        let reached =
            place.wait_for(|place| place.epoch != reader.epoch || place.offset >= reader.offset);
        // Who does not come so far in time has lost something as well.
        let _ = timeout(PATIENCE, reached).await;
        let found = self.history.recorded(stream, since, now);
        let place = self.place.borrow();
        let known =
            place.epoch == reader.epoch && (place.floor..=place.offset).contains(&reader.offset);
        if known { found } else { Err(Lost) }
    }
}

/// Hands on an entry that has no place in a history.
pub(super) fn hand_on(entry: &Entry, local: &Local) -> usize {
    let news = entry.news();
    let count = news.len();
    for news in news {
        match news {
            News::Message(said) => local.deliver(&said.published(None)),
            News::Disconnect(order) => local.disconnect(&order.tag, &order.disconnect()),
        }
    }
    count
}
