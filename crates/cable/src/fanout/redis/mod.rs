//! Several processes, which agree on nothing but one Redis.
//!
//! | key | what |
//! | --- | --- |
//! | `<prefix>:log` | a stream of everything that is published; every process reads it |
//! | `<prefix>:history:<stream>` | a stream of one stream's latest messages; the ids are offsets |
//! | `<prefix>:head:<stream>` | a hash: epoch and last offset |
//! | `<prefix>:session:<sid>` | a session that can be resumed, as JSON |
//! | `<prefix>:once:<id>` | marks a publication that was made, so that repeating it does nothing |
//!
//! Processes read the log with `XREAD BLOCK` from where they were, instead of Redis' pub/sub, so
//! that a connection that breaks loses nothing: after a reconnection they go on reading. Only if
//! they were away for longer than the log is kept do they take what they missed from the
//! histories of the streams that are followed.
//!
//! A publication that cannot be made is repeated until it is; it waits in a bounded queue. Not
//! for Redis Cluster, unless the prefix has a hash tag.

mod reader;
mod script;
mod writer;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use futures_util::future::BoxFuture;
use redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
use redis::streams::{StreamId, StreamRangeReply};
use redis::{AsyncConnectionConfig, Client, RedisResult, Value};
use serde_json::value::RawValue;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::{Fanout, Local, Lost, SavedSession, Since};
use crate::history::HistoryOptions;
use crate::message::{Message, Position, Published};
use crate::options::Disconnect;
use crate::sync::lock;
use writer::Job;

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

/// An id of the log: milliseconds since the Unix epoch and a number within them.
type LogId = (u64, u64);

/// A message of a history, and where it is in the log.
type Kept = (LogId, Arc<Published>);

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
    /// The address (`redis://user:password@host:port/db`) is wrong, or nobody answers there.
    pub async fn connect(address: &str, options: RedisOptions) -> Result<Self, ConnectError> {
        let client = Client::open(address)?;
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
            self.shared.give_up(&job);
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

    fn give_up(&self, job: &Job) {
        if matches!(job, Job::Publish { .. })
            && let Some(local) = self.local.get()
        {
            local.count_lost();
        }
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
        Ok(last
            .ids
            .first()
            .and_then(|entry| log_id(&entry.id))
            .unwrap_or_default())
    }

    /// A connection of its own for reading the log; its commands block.
    async fn reading_connection(&self) -> RedisResult<redis::aio::MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(Duration::from_secs(2)))
            .set_response_timeout(Some(reader::PATIENCE));
        self.client
            .get_multiplexed_async_connection_with_config(&config)
            .await
    }

    async fn position(&self, stream: &str) -> RedisResult<Position> {
        let (epoch, offset): (String, u64) = script::POSITION
            .key(self.key("head", stream))
            .arg(new_epoch())
            .arg(milliseconds(self.options.history.ttl))
            .invoke_async(&mut self.connection.clone())
            .await?;
        Ok(Position {
            epoch: epoch.into(),
            offset,
        })
    }

    /// What is kept of a stream, with the place of each message in the log, and the position of
    /// the last.
    async fn kept(&self, stream: &str) -> RedisResult<(Option<Position>, Vec<Kept>)> {
        type Head = (Option<String>, Option<u64>);
        let (head, entries): (Head, StreamRangeReply) = redis::pipe()
            .atomic()
            .cmd("HMGET")
            .arg(self.key("head", stream))
            .arg(&["epoch", "offset"])
            .cmd("XRANGE")
            .arg(self.key("history", stream))
            .arg("-")
            .arg("+")
            .query_async(&mut self.connection.clone())
            .await?;
        let (Some(epoch), Some(offset)) = head else {
            return Ok((None, Vec::new()));
        };
        let epoch: Arc<str> = epoch.into();
        let stream: Arc<str> = stream.into();
        let read = |entry: StreamId| {
            let offset = entry.id.split('-').next()?.parse().ok()?;
            let position = Position {
                epoch: Arc::clone(&epoch),
                offset,
            };
            let at = log_id(&entry.get::<String>("l")?)?;
            let message = message(&entry.map)?;
            let stream = Arc::clone(&stream);
            Some((
                at,
                Arc::new(Published {
                    stream,
                    message,
                    position: Some(position),
                }),
            ))
        };
        let entries = entries.ids.into_iter().filter_map(read).collect();
        Ok((
            Some(Position {
                epoch: Arc::clone(&epoch),
                offset,
            }),
            entries,
        ))
    }

    async fn history(
        &self,
        stream: &str,
        since: Since,
    ) -> RedisResult<Result<Vec<Arc<Published>>, Lost>> {
        let (last, entries) = self.kept(stream).await?;
        if let Since::Position(reader) = &since {
            let first = entries
                .first()
                .and_then(|(_, published)| published.position.clone());
            let known = last.is_some_and(|last| {
                let first = first.map_or(last.offset + 1, |first| first.offset);
                reader.reached_by(&last) && reader.offset + 1 >= first
            });
            if !known {
                return Ok(Err(Lost));
            }
        }
        let wanted = |(at, published): &Kept| match &since {
            Since::Start => true,
            Since::Position(reader) => published
                .position
                .as_ref()
                .is_some_and(|position| !position.reached_by(reader)),
            Since::Time(time) => at.0 >= milliseconds(*time),
        };
        let entries = entries
            .into_iter()
            .filter(wanted)
            .map(|(_, published)| published);
        Ok(Ok(entries.collect()))
    }

    async fn find_session(&self, sid: &str) -> RedisResult<Option<SavedSession>> {
        let mut command = redis::cmd("GET");
        command.arg(self.key("session", sid));
        let text: Option<String> = command.query_async(&mut self.connection.clone()).await?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }
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
        self.enqueue(Job::Disconnect {
            tag: tag.to_owned(),
            disconnect,
        });
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
        self.enqueue(Job::Save {
            sid: sid.to_owned(),
            session,
        });
    }

    fn touch_session(&self, sid: &str) {
        self.enqueue(Job::Touch {
            sid: sid.to_owned(),
        });
    }

    fn find_session<'a>(&'a self, sid: &'a str) -> BoxFuture<'a, Option<SavedSession>> {
        Box::pin(async move { warn_about(self.shared.find_session(sid).await).flatten() })
    }

    fn forget_session(&self, sid: &str) {
        self.enqueue(Job::Forget {
            sid: sid.to_owned(),
        });
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
    Job::Publish {
        stream: stream.to_owned(),
        message,
        once: format!("{:032x}", rand::random::<u128>()),
        done,
    }
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

fn log_id(text: &str) -> Option<LogId> {
    let (time, number) = text.split_once('-')?;
    Some((time.parse().ok()?, number.parse().ok()?))
}

fn log_id_text((time, number): LogId) -> String {
    format!("{time}-{number}")
}

/// The message of an entry of the log or of a history.
fn message(fields: &HashMap<String, Value>) -> Option<Message> {
    let text =
        |name: &str| -> Option<String> { redis::from_redis_value_ref(fields.get(name)?).ok() };
    let mut message = Message::from(RawValue::from_string(text("p")?).ok()?);
    message.sent = text("t")
        .and_then(|micros| micros.parse().ok())
        .filter(|micros| *micros > 0)
        .map(Duration::from_micros);
    Some(match text("k").filter(|key| !key.is_empty()) {
        Some(key) => message.with_key(key),
        None => message,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_ids_are_ordered_by_time_and_number() {
        assert!(log_id("99-5") < log_id("100-0"));
        assert!(log_id("100-2") < log_id("100-10"));
        assert!(log_id("nonsense") < log_id("0-0"));
    }
}
