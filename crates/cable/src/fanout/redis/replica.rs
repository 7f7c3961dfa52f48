//! What this process knows of the log: the histories that follow from it, and how far it is.
//!
//! Positions are of the whole log: an offset is the number of a message among everything that was
//! published in an epoch. So every process finds the same ones without asking.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::log::{Entry, Record};
use super::seal::Sealing;
use crate::fanout::Local;
use crate::history::{History, HistoryOptions, Lost, Since};
use crate::message::{Position, Published};

/// How long a client is waited for that is ahead of this process.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct Replica {
    history: History,
    sealing: Sealing,
    progress: watch::Sender<Progress>,
}

/// How far the log was read.
#[derive(Clone, Debug, Default)]
struct Progress {
    epoch: Arc<str>,
    /// The last offset that was handed on.
    offset: u64,
    /// What came up to here may not be in the histories.
    floor: u64,
}

impl Progress {
    fn position(&self) -> Position {
        Position {
            epoch: Arc::clone(&self.epoch),
            offset: self.offset,
        }
    }
}

impl Replica {
    pub(super) fn new(options: HistoryOptions, sealing: Sealing) -> Self {
        Self {
            history: History::new(options),
            sealing,
            progress: watch::Sender::default(),
        }
    }

    /// Whether an entry comes next.
    pub(super) fn expects(&self, entry: &Entry) -> bool {
        let progress = self.progress.borrow();
        *progress.epoch == *entry.epoch && progress.offset == entry.before
    }

    /// Whether this is another epoch than the replica's.
    pub(super) fn is_other_epoch(&self, epoch: &str) -> bool {
        *self.progress.borrow().epoch != *epoch
    }

    /// Whether it has not come as far as this.
    pub(super) fn is_behind(&self, offset: u64) -> bool {
        self.progress.borrow().offset < offset
    }

    /// Moves to a position in the log without having read what is before it. Whether it was there
    /// already.
    pub(super) fn jump_to(&self, epoch: &str, before: u64) -> bool {
        let progress = self.progress.borrow().clone();
        if *progress.epoch != *epoch {
            // Nowhere in between, so that nobody takes what is being forgotten for complete.
            self.progress.send_replace(Progress::default());
            self.history.clear();
        } else if progress.offset == before {
            return true;
        }
        self.progress.send_replace(Progress {
            epoch: epoch.into(),
            offset: before,
            floor: before,
        });
        false
    }

    /// Takes in an entry, which must be where the replica stands, and delivers what is new here.
    pub(super) fn take(&self, entry: &Entry, local: Option<&Local>) -> usize {
        let mut position = self.progress.borrow().position();
        let records = entry.records(&self.sealing);
        let count = records.len();
        for record in records {
            position.offset += 1;
            let arrive = || {
                let offset = position.offset;
                self.progress
                    .send_modify(|progress| progress.offset = offset);
            };
            match record {
                Record::Message(message) => {
                    let published = Arc::new(message.published(Some(position.clone())));
                    let at = entry.id.time();
                    // Moved on before anyone else can look at the stream.
                    self.history.record(&published, &position, at, |fresh| {
                        arrive();
                        if let (true, Some(local)) = (fresh, local) {
                            local.deliver(&published);
                        }
                    });
                }
                Record::Disconnect(disconnect) => {
                    arrive();
                    if let Some(local) = local {
                        local.disconnect(&disconnect.tag, &disconnect.to_disconnect());
                    }
                }
            }
        }
        count
    }

    /// Where a stream stands: what is delivered later has a later position.
    pub(super) fn position(&self, stream: &str) -> Position {
        let position = || self.progress.borrow().position();
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
        let mut progress = self.progress.subscribe();
        let reached = progress.wait_for(|progress| {
            progress.epoch != reader.epoch || progress.offset >= reader.offset
        });
        // Who does not come so far in time has lost something as well.
        let _ = timeout(CATCH_UP_TIMEOUT, reached).await;
        let found = self.history.recorded(stream, since, now);
        let progress = self.progress.borrow();
        let known = progress.epoch == reader.epoch
            && (progress.floor..=progress.offset).contains(&reader.offset);
        if known { found } else { Err(Lost) }
    }
}

/// Delivers an entry that has no place in a history.
pub(super) fn deliver(entry: &Entry, sealing: &Sealing, local: &Local) -> usize {
    let records = entry.records(sealing);
    let count = records.len();
    for record in records {
        match record {
            Record::Message(message) => local.deliver(&message.published(None)),
            Record::Disconnect(disconnect) => {
                local.disconnect(&disconnect.tag, &disconnect.to_disconnect());
            }
        }
    }
    count
}
