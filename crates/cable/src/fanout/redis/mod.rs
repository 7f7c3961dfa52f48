//! Several processes, which agree on nothing but one Redis.
//!
//! | key | what |
//! | --- | --- |
//! | `<prefix>:log` | a stream of everything that is published; and a channel on which each of its entries is announced |
//! | `<prefix>:log:last` | the id of its last entry |
//! | `<prefix>:history:<stream>` | a stream of one stream's latest messages; the ids are offsets |
//! | `<prefix>:head:<stream>` | a hash: epoch and last offset |
//! | `<prefix>:session:<sid>` | a session that can be resumed, as JSON |
//! | `<prefix>:once:<id>` | marks a publication that was made, so that repeating it does nothing |
//!
//! Processes listen to the channel. An announcement carries the whole entry, and says which entry
//! is before it: whoever has that one takes it as it comes, whoever does not reads what it missed
//! from the log, as after a connection that broke. So listening costs no question, and loses
//! nothing. Only if a process was away for longer than the log is kept does it take what it missed
//! from the histories of the streams that are followed.
//!
//! What waits while Redis is busy is written in one step, as one entry.
//!
//! A publication that cannot be made is repeated until it is; it waits in a bounded queue. Not
//! for Redis Cluster, unless the prefix has a hash tag.

mod log;
mod reader;
mod script;
mod store;
mod writer;

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use futures_util::future::BoxFuture;
use redis::aio::{
    ConnectionLike, ConnectionManager, ConnectionManagerConfig, MultiplexedConnection,
};
use redis::streams::StreamRangeReply;
use redis::{
    AsyncConnectionConfig, Client, IntoConnectionInfo, ProtocolVersion, PushInfo, RedisResult,
};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::{Fanout, Local, Lost, SavedSession, Since};
use crate::history::HistoryOptions;
use crate::message::{Message, Position, Published};
use crate::options::Disconnect;
use crate::sync::lock;
use log::LogId;
use writer::{Job, News};

/// The settings of a fan-out over Redis.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    /// Begins the names of all keys; by default `cable`. Processes with the same prefix share a
    /// cable.
    pub prefix: String,
    /// How much is remembered. The time to live is that of a whole stream since its last message,
    /// and there is no bound of bytes: that is Redis' `maxmemory`.
    pub history: HistoryOptions,
    /// How long the log of everything is kept, by default 2 minutes. Processes that were away
    /// for longer catch up from the histories.
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
            log_ttl: Duration::from_secs(120),
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
    start: Mutex<Option<(mpsc::Receiver<Job>, LogId, Option<String>)>>,
    tasks: Mutex<Vec<AbortHandle>>,
}

/// What the tasks share with the handle.
struct Shared {
    options: RedisOptions,
    client: Client,
    connection: ConnectionManager,
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
    /// Connects. From here on nothing that is published is missed.
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
            options,
            client,
            connection,
            local: OnceLock::new(),
        });
        let mut connection = shared.connection.clone();
        let cursor = shared.end_of_log(&mut connection).await?;
        // Known before anything is promised, so that a Redis that starts anew is always noticed.
        let life = reader::life_of(&mut connection).await?;
        let start = Mutex::new(Some((queue, cursor, life)));
        Ok(Self {
            shared,
            jobs,
            start,
            tasks: Mutex::default(),
        })
    }

    fn enqueue(&self, job: Job) {
        if let Err(error) = self.jobs.try_send(job) {
            tracing::error!(%error, "Redis has been out of reach for too long");
            let (TrySendError::Full(job) | TrySendError::Closed(job)) = error;
            if let Job::Tell(news) = job {
                self.shared.give_up(&news);
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

    /// The id of the last entry of the log.
    async fn end_of_log(&self, connection: &mut impl ConnectionLike) -> RedisResult<LogId> {
        let mut command = redis::cmd("XREVRANGE");
        command
            .arg(self.log_key())
            .arg("+")
            .arg("-")
            .arg("COUNT")
            .arg(1);
        let last: StreamRangeReply = command.query_async(connection).await?;
        let last = last.ids.first();
        Ok(last
            .and_then(|entry| entry.id.parse().ok())
            .unwrap_or_default())
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
        if let Some((queue, cursor, life)) = lock(&self.start).take() {
            let reader = tokio::spawn(reader::run(Arc::clone(&self.shared), cursor, life));
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
        self.enqueue(Job::Tell(News::Disconnect {
            tag: tag.to_owned(),
            disconnect,
        }));
    }

    fn position<'a>(&'a self, stream: &'a str) -> BoxFuture<'a, Option<Position>> {
        Box::pin(async move { warn_about(self.shared.position(stream).await) })
    }

    fn history<'a>(
        &'a self,
        stream: &'a str,
        since: Since,
    ) -> BoxFuture<'a, Result<Vec<Arc<Published>>, Lost>> {
        Box::pin(async move {
            warn_about(self.shared.history(stream, since).await).unwrap_or(Err(Lost))
        })
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
    Job::Tell(News::Message {
        stream: stream.to_owned(),
        message,
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
