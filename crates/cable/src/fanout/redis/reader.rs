//! Listens to the log of everything that is published and hands it to the connections of this
//! process.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::ConnectionLike;
use redis::streams::StreamReadReply;
use redis::{InfoDict, PushKind, RedisResult};
use tokio::time::timeout;

use super::error::ConnectError;
use super::log::{Entry, LogId};
use super::shared::{Shared, new_epoch};
use super::writer::is_hopeless;
use super::{replica, script};
use crate::fanout::Local;

/// After this long without an announcement Redis is asked whether there is nothing new, which
/// also shows that it is there.
const CHECK_AFTER: Duration = Duration::from_secs(5);
/// The pauses between attempts to connect.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Entries read at a time.
const BATCH: usize = 100;

pub(super) struct Reader {
    shared: Arc<Shared>,
    /// The last entry of the log that was read.
    cursor: LogId,
    /// The last that was ever read, also before the log was read anew.
    seen: LogId,
}

impl Reader {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            cursor: LogId::default(),
            seen: LogId::default(),
        }
    }

    pub(super) async fn run(mut self) {
        let mut pause = SHORTEST_PAUSE;
        loop {
            match self.listen(&mut pause).await {
                Ok(()) => tracing::warn!("Redis has closed the connection"),
                Err(error) => tracing::warn!(%error, "Redis cannot be listened to"),
            }
            if let Some(local) = self.local() {
                local.count_reconnection();
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Listens until the connection breaks. What was announced before it began to listen is read
    /// from the log.
    async fn listen(&mut self, pause: &mut Duration) -> RedisResult<()> {
        let (mut connection, mut pushes) = self.shared.listening_connection().await?;
        connection.subscribe(self.shared.log_key()).await?;
        let read = self.catch_up(&mut connection).await?;
        if let Some(local) = self.local() {
            local.count_recovered(read);
        }
        *pause = SHORTEST_PAUSE;
        loop {
            let complete = match timeout(CHECK_AFTER, pushes.recv()).await {
                Ok(Some(push)) if push.kind == PushKind::Disconnection => return Ok(()),
                Ok(Some(push)) => {
                    Entry::announced(&push).is_none_or(|entry| self.on_announcement(&entry))
                }
                Ok(None) => return Ok(()),
                Err(_) => false,
            };
            if !complete {
                self.catch_up(&mut connection).await?;
            }
            // Those who have got something have a chance to send it before more comes.
            tokio::task::yield_now().await;
        }
    }

    /// Takes an entry as it was announced, unless others are missing before it. Whether nothing is
    /// missing.
    fn on_announcement(&mut self, entry: &Entry) -> bool {
        if entry.id <= self.cursor {
            return true;
        }
        let next = self.shared.replica.expects(entry);
        if next {
            self.take(entry);
        }
        next
    }

    fn take(&mut self, entry: &Entry) -> usize {
        self.advance(entry.id);
        self.shared.replica.take(entry, self.local())
    }

    /// Takes note of an entry; whether it was never seen before.
    fn advance(&mut self, id: LogId) -> bool {
        self.cursor = id;
        let new = id > self.seen;
        self.seen = self.seen.max(id);
        new
    }

    /// Reads the log to its end; how many records there were.
    pub(super) async fn catch_up(
        &mut self,
        connection: &mut (impl ConnectionLike + Send),
    ) -> RedisResult<usize> {
        let (epoch, count) = self.read_head(connection).await?;
        if self.shared.replica.is_other_epoch(&epoch) {
            // From its beginning, for the clock of another Redis may be behind.
            self.cursor = LogId::default();
            self.skip_to(&epoch, 0);
        }
        let mut read = 0;
        loop {
            let mut command = redis::cmd("XREAD");
            command.arg("COUNT").arg(BATCH).arg("STREAMS");
            command.arg(self.shared.log_key());
            command.arg(self.cursor.to_string());
            let reply: Option<StreamReadReply> = command.query_async(connection).await?;
            let Some(reply) = reply else { break };
            for entry in reply.keys.iter().flat_map(|log| &log.ids) {
                let Some(entry) = Entry::read(entry) else {
                    continue;
                };
                if *entry.epoch == *epoch {
                    self.skip_to(&epoch, entry.before);
                    read += self.take(&entry);
                    continue;
                }
                // Of another epoch is what was read before this one began, or was written while
                // nobody knew of it yet.
                if self.advance(entry.id)
                    && let Some(local) = self.local()
                {
                    read += replica::deliver(&entry, &self.shared.options.sealing, local);
                }
            }
            tokio::task::yield_now().await;
        }
        if self.shared.replica.is_behind(count) {
            self.skip_to(&epoch, count);
        }
        Ok(read)
    }

    /// Goes to a position in the log. If that is not where it was, messages may have been missed.
    fn skip_to(&self, epoch: &str, before: u64) {
        if !self.shared.replica.jump_to(epoch, before)
            && let Some(local) = self.local()
        {
            tracing::warn!("Redis has forgotten something: sending everyone again what exists");
            local.interrupted();
        }
    }

    /// Where the log stands, after the epoch was changed if Redis has started anew or another has
    /// taken its place: it may have lost what was published last.
    async fn read_head(
        &self,
        connection: &mut (impl ConnectionLike + Send),
    ) -> RedisResult<(String, u64)> {
        let run = run_id(connection).await?;
        script::HEAD
            .key(self.shared.head_key())
            .arg(new_epoch())
            .arg(run.unwrap_or_default())
            .invoke_async(connection)
            .await
    }

    fn local(&self) -> Option<&Local> {
        self.shared.local.get()
    }
}

/// What a Redis says of itself; `None` for a user that may not ask.
async fn server_info(connection: &mut impl ConnectionLike) -> RedisResult<Option<InfoDict>> {
    let info: RedisResult<InfoDict> = redis::cmd("INFO")
        .arg("server")
        .query_async(connection)
        .await;
    match info {
        Ok(info) => Ok(Some(info)),
        Err(error) if is_hopeless(&error) => {
            tracing::debug!(%error, "Redis does not say who it is");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The name of one run of a Redis process; `None` for a user that may not ask.
async fn run_id(connection: &mut impl ConnectionLike) -> RedisResult<Option<String>> {
    let info = server_info(connection).await?;
    Ok(info.and_then(|info| info.get("run_id")))
}

/// Sentinel and Cluster answer at the same kind of address, and would fail later and less clearly.
pub(super) async fn refuse_other_modes(
    connection: &mut impl ConnectionLike,
) -> Result<(), ConnectError> {
    let info = server_info(connection).await?;
    let mode: Option<String> = info.and_then(|info| info.get("redis_mode"));
    match mode {
        Some(mode) if mode != "standalone" => Err(ConnectError::Mode(mode)),
        _ => Ok(()),
    }
}
