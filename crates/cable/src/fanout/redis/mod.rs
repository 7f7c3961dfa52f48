//! Several processes, which agree on nothing but one Redis.
//!
//! | key | what |
//! | --- | --- |
//! | `<prefix>:log` | a stream of everything that is published; and a channel on which each of its entries is announced |
//! | `<prefix>:head` | a hash: the epoch of the log, how many news it has had, in which life of Redis |
//! | `<prefix>:session:<sid>` | a session that can be resumed, as JSON |
//! | `<prefix>:once:<id>` | marks what was written, so that repeating it does nothing |
//! | `<prefix>:heard:<stream>:<key>` | marks a key that was published for outsiders, see [`RedisOptions::announce`] |
//!
//! Redis orders what is published and passes it on; it is asked for nothing else. Every process
//! has the whole log, and the histories that follow from it, in its own memory, where positions
//! and what was missed are found without a question. A process that starts reads the log first.
//!
//! Processes listen to the channel. An announcement carries the whole entry and says how many news
//! were before it: whoever has those takes it as it comes, whoever does not reads what it missed
//! from the log, as after a connection that broke. So listening costs Redis no command, and loses
//! nothing. What was published while a process was away for longer than the log is kept, or was
//! lost with Redis' memory, is told again by the application ([`Local::interrupted`]).
//!
//! What waits while Redis is busy is written in one step, as one entry.
//!
//! A publication that cannot be made is repeated until it is; it waits in a bounded queue. Not
//! for Redis Cluster, unless the prefix has a hash tag.

mod log;
mod reader;
mod replica;
mod script;
mod session;
mod writer;

use std::future::ready;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use futures_util::future::BoxFuture;
use redis::aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
use redis::{
    AsyncConnectionConfig, Client, IntoConnectionInfo, ProtocolVersion, PushInfo, RedisResult,
};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::{Fanout, Local, Lost, SavedSession, Since};
use crate::history::HistoryOptions;
use crate::message::{Message, Position, Published};
use crate::options::{Clock, Disconnect};
use crate::sync::lock;
use log::{News, Order, Said};
use reader::Reader;
use replica::Replica;
use writer::{Job, Telling};

/// The settings of a fan-out over Redis.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    /// Begins the names of all keys; by default `cable`. Processes with the same prefix share a
    /// cable.
    pub prefix: String,
    /// How much each process remembers.
    pub history: HistoryOptions,
    /// How long Redis keeps the log of everything, by default 15 minutes: as long as histories
    /// are to reach back for a process that starts, and as a process may be away without missing
    /// anything. Its size has no other bound than Redis' `maxmemory`.
    pub log_ttl: Duration,
    /// Also publishes each message, as its JSON, on the pub/sub channel with the name of its
    /// stream (without the prefix), for listeners outside of the cable; by default not. It happens
    /// in the same step as the rest, so that listeners hear a key once as well; as always with
    /// pub/sub, only while they listen.
    pub announce: bool,
    /// Publications that may wait while Redis is out of reach, by default 100,000; further ones
    /// are lost, with an error in the log.
    pub queue: usize,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self {
            prefix: "cable".to_owned(),
            history: HistoryOptions::default(),
            log_ttl: HistoryOptions::default().ttl,
            announce: false,
            queue: 100_000,
        }
    }
}

/// Redis cannot be reached, or not with this address.
#[derive(Debug, thiserror::Error)]
#[error("Redis: {0}")]
pub struct ConnectError(#[from] redis::RedisError);

/// The fan-out of a cable that several processes serve. See [the module](self).
pub struct Redis {
    shared: Arc<Shared>,
    jobs: mpsc::Sender<Job>,
    /// What the tasks begin with.
    start: Mutex<Option<(Reader, mpsc::Receiver<Job>)>>,
    tasks: Mutex<Vec<AbortHandle>>,
    clock: Clock,
}

/// What the tasks share with the handle.
struct Shared {
    options: RedisOptions,
    client: Client,
    connection: ConnectionManager,
    replica: Replica,
    local: OnceLock<Local>,
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
    /// The address (`redis://user:password@host:port/db`) is wrong, or nobody answers there who
    /// speaks RESP3 (Redis 6 and later).
    pub async fn connect(address: &str, options: RedisOptions) -> Result<Self, ConnectError> {
        let client = client(address)?;
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(2)
            .set_max_delay(Duration::from_secs(1))
            .set_connection_timeout(Some(Duration::from_secs(2)))
            .set_response_timeout(Some(Duration::from_secs(5)));
        let connection = ConnectionManager::new_with_config(client.clone(), config).await?;
        let (jobs, queue) = mpsc::channel(options.queue.max(1));
        let shared = Arc::new(Shared {
            replica: Replica::new(options.history),
            options,
            client,
            connection,
            local: OnceLock::new(),
        });
        let mut reader = Reader::new(Arc::clone(&shared));
        let mut connection = shared.connection.clone();
        reader.catch_up(&mut connection).await?;
        // Announces nothing; whether it may is found out before it matters.
        let mut command = redis::cmd("PUBLISH");
        command.arg(shared.log_key()).arg("");
        let _: u64 = command.query_async(&mut connection).await?;
        let start = Mutex::new(Some((reader, queue)));
        Ok(Self {
            shared,
            jobs,
            start,
            tasks: Mutex::default(),
            clock: Clock::default(),
        })
    }

    fn enqueue(&self, job: Job) {
        if let Err(error) = self.jobs.try_send(job) {
            tracing::error!(%error, "Redis has been out of reach for too long");
            let (TrySendError::Full(job) | TrySendError::Closed(job)) = error;
            if let Job::Tell(telling) = job {
                self.shared.give_up(&telling);
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

impl Shared {
    fn key(&self, kind: &str, name: &str) -> String {
        format!("{}:{kind}:{name}", self.options.prefix)
    }

    fn log_key(&self) -> String {
        format!("{}:log", self.options.prefix)
    }

    fn head_key(&self) -> String {
        format!("{}:head", self.options.prefix)
    }

    /// A connection of its own for listening: announcements do not wait behind answers.
    async fn listening_connection(
        &self,
    ) -> RedisResult<(MultiplexedConnection, mpsc::UnboundedReceiver<PushInfo>)> {
        let (sender, pushes) = mpsc::unbounded_channel();
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(Duration::from_secs(2)))
            .set_response_timeout(Some(reader::PATIENCE))
            .set_push_sender(sender);
        let connect = self
            .client
            .get_multiplexed_async_connection_with_config(&config);
        Ok((connect.await?, pushes))
    }
}

/// For RESP3, in which announcements and answers share a connection, and without Nagle's
/// algorithm, which would let small commands wait.
fn client(address: &str) -> RedisResult<Client> {
    let info = address.into_connection_info()?;
    let redis = info.redis_settings().clone();
    let tcp = info.tcp_settings().clone();
    Client::open(
        info.set_redis_settings(redis.set_protocol(ProtocolVersion::RESP3))
            .set_tcp_settings(tcp.set_nodelay(true)),
    )
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
        self.enqueue(publication(stream, message, None));
    }

    fn publish_surely(&self, stream: &str, message: Message) -> BoxFuture<'static, bool> {
        let (done, arrived) = oneshot::channel();
        self.enqueue(publication(stream, message, Some(done)));
        Box::pin(async move { arrived.await.is_ok() })
    }

    fn disconnect(&self, tag: &str, disconnect: Disconnect) {
        self.enqueue(Job::Tell(Telling {
            news: News::Disconnect(Order::new(tag, disconnect)),
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
        self.enqueue(Job::Keep(self.shared.save(sid, &session)));
    }

    fn touch_session(&self, sid: &str) {
        self.enqueue(Job::Keep(self.shared.touch(sid)));
    }

    fn find_session<'a>(&'a self, sid: &'a str) -> BoxFuture<'a, Option<SavedSession>> {
        Box::pin(async move { warn_about(self.shared.find_session(sid).await).flatten() })
    }

    fn forget_session(&self, sid: &str) {
        self.enqueue(Job::Keep(self.shared.forget(sid)));
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

fn publication(stream: &str, message: Message, done: Option<oneshot::Sender<()>>) -> Job {
    Job::Tell(Telling {
        news: News::Message(Said::new(stream, message)),
        done,
    })
}

fn warn_about<T>(result: RedisResult<T>) -> Option<T> {
    result
        .inspect_err(|error| tracing::warn!(%error, "Redis did not answer"))
        .ok()
}

fn new_epoch() -> String {
    format!("{:016x}", rand::random::<u64>())
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
