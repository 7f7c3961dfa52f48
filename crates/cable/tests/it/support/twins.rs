//! Several processes in one: a fan-out that delivers to all cables that share it, as simple as one
//! can be and without a bound.

use std::collections::HashMap;
use std::future::ready;
use std::sync::{Arc, Mutex};

use cable::fanout::{Fanout, Local, Lost, SavedSession, Since};
use cable::{Disconnect, Message, Position, Published};
use futures_util::future::BoxFuture;

/// Clones serve the same cable.
#[derive(Clone, Default)]
pub(crate) struct Twins(Arc<Mutex<Shared>>);

#[derive(Default)]
struct Shared {
    processes: Vec<Local>,
    streams: HashMap<String, Vec<Arc<Published>>>,
    sessions: HashMap<String, SavedSession>,
}

impl Twins {
    /// Lets every process fear that messages were lost.
    pub(crate) fn interrupt(&self) {
        self.0
            .lock()
            .unwrap()
            .processes
            .iter()
            .for_each(Local::interrupted);
    }
}

fn position(offset: usize) -> Position {
    Position {
        epoch: "twins".into(),
        offset: offset as u64,
    }
}

impl Fanout for Twins {
    fn start(&self, local: Local) {
        self.0.lock().unwrap().processes.push(local);
    }

    fn publish(&self, stream: &str, message: Message) {
        let mut shared = self.0.lock().unwrap();
        let said = shared.streams.entry(stream.to_owned()).or_default();
        let same = |other: &Arc<Published>| other.message.key() == message.key();
        if message.key().is_some() && said.iter().any(same) {
            return;
        }
        let published = Arc::new(Published {
            stream: stream.into(),
            message,
            position: Some(position(said.len() + 1)),
        });
        said.push(Arc::clone(&published));
        for process in &shared.processes {
            process.deliver(&published);
        }
    }

    fn disconnect(&self, tag: &str, disconnect: Disconnect) {
        for process in &self.0.lock().unwrap().processes {
            process.disconnect(tag, &disconnect);
        }
    }

    fn position<'a>(&'a self, stream: &'a str) -> BoxFuture<'a, Option<Position>> {
        let shared = self.0.lock().unwrap();
        let offset = shared.streams.get(stream).map_or(0, Vec::len);
        Box::pin(ready(Some(position(offset))))
    }

    fn history<'a>(
        &'a self,
        stream: &'a str,
        since: Since,
    ) -> BoxFuture<'a, Result<Vec<Arc<Published>>, Lost>> {
        let shared = self.0.lock().unwrap();
        let said = shared.streams.get(stream).map_or(&[][..], Vec::as_slice);
        Box::pin(ready(match since {
            Since::Start => Ok(said.to_vec()),
            // Times are not kept; whoever depends on them is found out.
            Since::Time(_) => Ok(Vec::new()),
            Since::Position(at) if &*at.epoch == "twins" => {
                let rest = usize::try_from(at.offset)
                    .ok()
                    .and_then(|at| said.get(at..));
                rest.map(<[_]>::to_vec).ok_or(Lost)
            }
            Since::Position(_) => Err(Lost),
        }))
    }

    fn save_session(&self, sid: &str, session: SavedSession) {
        let mut shared = self.0.lock().unwrap();
        shared.sessions.insert(sid.to_owned(), session);
    }

    fn touch_session(&self, _: &str) {}

    fn find_session<'a>(&'a self, sid: &'a str) -> BoxFuture<'a, Option<SavedSession>> {
        let session = self.0.lock().unwrap().sessions.get(sid).cloned();
        Box::pin(ready(session))
    }

    fn forget_session(&self, sid: &str) {
        self.0.lock().unwrap().sessions.remove(sid);
    }
}
