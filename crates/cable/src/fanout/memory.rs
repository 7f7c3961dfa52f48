//! One process alone.

use std::future::ready;
use std::sync::{Arc, OnceLock};

use futures_util::future::BoxFuture;

use super::{Fanout, Local, Lost, SavedSession, Since};
use crate::history::{History, HistoryOptions};
use crate::message::{Message, Position, Published};
use crate::options::{Clock, Disconnect};
use crate::resume::Sessions;

/// The fan-out of a cable that is served by one process. What it remembers ends with it.
#[derive(Debug)]
pub struct Memory {
    local: OnceLock<Local>,
    history: History,
    sessions: Sessions,
    clock: Clock,
}

impl Memory {
    /// A fan-out that remembers as much as the options say.
    pub fn new(options: HistoryOptions, clock: Clock) -> Self {
        let sessions = Sessions::new(options.session_ttl);
        Self {
            local: OnceLock::new(),
            history: History::new(options),
            sessions,
            clock,
        }
    }
}

impl Fanout for Memory {
    fn start(&self, local: Local) {
        self.local.get_or_init(|| local);
    }

    fn publish(&self, stream: &str, message: Message) {
        self.history
            .append(stream, message, self.clock.now(), |published| {
                if let Some(local) = self.local.get() {
                    local.deliver(published);
                }
            });
    }

    fn disconnect(&self, tag: &str, disconnect: Disconnect) {
        if let Some(local) = self.local.get() {
            local.disconnect(tag, &disconnect);
        }
    }

    fn position<'a>(&'a self, stream: &'a str) -> BoxFuture<'a, Option<Position>> {
        Box::pin(ready(Some(self.history.position(stream, self.clock.now()))))
    }

    fn history<'a>(
        &'a self,
        stream: &'a str,
        since: Since,
    ) -> BoxFuture<'a, Result<Vec<Arc<Published>>, Lost>> {
        Box::pin(ready(self.history.since(stream, &since, self.clock.now())))
    }

    fn save_session(&self, sid: &str, session: SavedSession) {
        self.sessions.save(sid, session, self.clock.now());
    }

    fn touch_session(&self, sid: &str) {
        self.sessions.touch(sid, self.clock.now());
    }

    fn find_session<'a>(&'a self, sid: &'a str) -> BoxFuture<'a, Option<SavedSession>> {
        Box::pin(ready(self.sessions.find(sid, self.clock.now())))
    }

    fn forget_session(&self, sid: &str) {
        self.sessions.forget(sid);
    }
}
