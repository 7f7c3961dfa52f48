//! Several processes, which agree on nothing but one Redis.
//!
//! | key | what |
//! | --- | --- |
//! | `<prefix>:log` | a stream of everything that is published; and a channel on which each of its entries is announced |
//! | `<prefix>:head` | a hash: the epoch of the log, how many records it has had, in which run of Redis |
//! | `<prefix>:session:<sid>` | a session that can be resumed, as JSON |
//! | `<prefix>:once:<id>` | marks a batch that was written, so that repeating it does nothing |
//!
//! With [`RedisOptions::sealing`], what is published and what sessions hold is sealed, so that whoever
//! reads Redis learns when something was published, and nothing else.
//!
//! Redis orders what is published and passes it on; it is asked for nothing else. Every process
//! has the whole log, and the histories that follow from it, in its own memory, where positions
//! and what was missed are found without a question. A process that starts reads the log first.
//!
//! Processes listen to the channel. An announcement carries the whole entry and says how many records
//! were before it: whoever has those takes it as it comes, whoever does not reads what it missed
//! from the log, as after a connection that broke. So listening costs Redis no command, and loses
//! nothing. What was published while a process was away for longer than the log is kept, or was
//! lost with Redis' memory, is told again by the application ([`Local::interrupted`]).
//!
//! What waits while Redis is busy is written in one step, as one entry.
//!
//! A publication that cannot be made is repeated until it is; it waits in a bounded queue. Neither
//! Redis Cluster nor Redis Sentinel is spoken to; both are refused.

mod address;
mod error;
mod log;
mod reader;
mod replica;
mod rights;
mod script;
mod seal;
mod session;
mod shared;
mod writer;

use std::future::ready;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use futures_util::future::BoxFuture;
use redis::RedisResult;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::{Fanout, Local, Lost, SavedSession, Since};
use crate::message::{Message, Position, Published};
use crate::options::{Clock, Disconnect};
use crate::sync::lock;
pub use address::{Address, AddressError};
pub use error::ConnectError;
use log::{DisconnectRecord, MessageRecord, Record};
use reader::Reader;
use replica::Replica;
pub use seal::{Seal, Sealing};
pub use shared::RedisOptions;
use shared::Shared;
use writer::{Job, Publication};

/// The fan-out of a cable that several processes serve. See [the module](self).
pub struct Redis {
    shared: Arc<Shared>,
    jobs: mpsc::Sender<Job>,
    /// What the tasks begin with.
    start: Mutex<Option<(Reader, mpsc::Receiver<Job>)>>,
    tasks: Mutex<Vec<AbortHandle>>,
    clock: Clock,
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis")
            .field("options", &self.shared.options)
            .finish_non_exhaustive()
    }
}

impl Redis {
    /// Connects, and reads what was published lately. From here on nothing is missed.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn connect(address: &str, options: RedisOptions) -> Result<Self, ConnectError> {
        let client = address.parse::<Address>()?.client()?;
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(2)
            .set_max_delay(Duration::from_secs(1))
            .set_connection_timeout(Some(Duration::from_secs(2)))
            .set_response_timeout(Some(Duration::from_secs(5)));
        let connection = ConnectionManager::new_with_config(client.clone(), config).await?;
        let (jobs, queue) = mpsc::channel(options.queue.max(1));
        let shared = Arc::new(Shared {
            replica: Replica::new(options.history, options.sealing.clone()),
            options,
            client,
            connection,
            local: OnceLock::new(),
        });
        let mut reader = Reader::new(Arc::clone(&shared));
        let mut connection = shared.connection.clone();
        reader::refuse_other_modes(&mut connection).await?;
        rights::check(&shared.client, &shared.options.prefix).await?;
        reader.catch_up(&mut connection).await?;
        let start = Mutex::new(Some((reader, queue)));
        Ok(Self {
            shared,
            jobs,
            start,
            tasks: Mutex::default(),
            clock: Clock::default(),
        })
    }

    /// Whether a Redis that can be used, with keys of this prefix, answers at an address.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn reach(address: &str, prefix: &str) -> Result<(), ConnectError> {
        let client = address.parse::<Address>()?.client()?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        reader::refuse_other_modes(&mut connection).await?;
        rights::check(&client, prefix).await
    }

    fn enqueue(&self, job: Job) {
        if let Err(error) = self.jobs.try_send(job) {
            tracing::error!(%error, "Redis has been out of reach for too long");
            let (TrySendError::Full(job) | TrySendError::Closed(job)) = error;
            if let Job::Publish(publication) = job {
                self.shared.give_up(&publication);
            }
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        for task in lock(&self.tasks).drain(..) {
            task.abort();
        }
    }
}

impl Fanout for Redis {
    fn start(&self, local: Local) {
        self.shared.local.get_or_init(|| local);
        if let Some((reader, queue)) = lock(&self.start).take() {
            let reader = tokio::spawn(reader.run());
            let writer = tokio::spawn(writer::run(Arc::clone(&self.shared), queue));
            lock(&self.tasks).extend([reader.abort_handle(), writer.abort_handle()]);
        }
    }

    fn publish(&self, stream: &str, message: Message) {
        self.enqueue(publish_job(stream, message, None));
    }

    fn publish_acknowledged(&self, stream: &str, message: Message) -> BoxFuture<'static, bool> {
        let (done, arrived) = oneshot::channel();
        self.enqueue(publish_job(stream, message, Some(done)));
        Box::pin(async move { arrived.await.is_ok() })
    }

    fn disconnect(&self, tag: &str, disconnect: Disconnect) {
        self.enqueue(Job::Publish(Publication {
            record: Record::Disconnect(DisconnectRecord::new(tag, disconnect)),
            done: None,
        }));
    }

    fn position<'a>(&'a self, stream: &'a str) -> BoxFuture<'a, Option<Position>> {
        Box::pin(ready(Some(self.shared.replica.position(stream))))
    }

    fn history<'a>(
        &'a self,
        stream: &'a str,
        since: Since,
    ) -> BoxFuture<'a, Result<Vec<Arc<Published>>, Lost>> {
        let now = self.clock.now();
        Box::pin(async move { self.shared.replica.since(stream, &since, now).await })
    }

    fn save_session(&self, sid: &str, session: SavedSession) {
        self.enqueue(Job::Command(self.shared.save(sid, &session)));
    }

    fn touch_session(&self, sid: &str) {
        self.enqueue(Job::Command(self.shared.touch(sid)));
    }

    fn find_session<'a>(&'a self, sid: &'a str) -> BoxFuture<'a, Option<SavedSession>> {
        Box::pin(async move { warn_about(self.shared.find_session(sid).await).flatten() })
    }

    fn forget_session(&self, sid: &str) {
        self.enqueue(Job::Command(self.shared.forget(sid)));
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let (done, flushed) = oneshot::channel();
            if self.jobs.send(Job::Flush(done)).await.is_ok() {
                let _ = flushed.await;
            }
        })
    }
}

fn publish_job(stream: &str, message: Message, done: Option<oneshot::Sender<()>>) -> Job {
    Job::Publish(Publication {
        record: Record::Message(MessageRecord::new(stream, message)),
        done,
    })
}

fn warn_about<T>(result: RedisResult<T>) -> Option<T> {
    result
        .inspect_err(|error| tracing::warn!(%error, "Redis did not answer"))
        .ok()
}
