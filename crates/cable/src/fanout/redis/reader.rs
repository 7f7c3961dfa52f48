//! Reads the log of everything that is published and hands it to the connections of this process.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::streams::{StreamRangeReply, StreamReadReply};
use redis::{InfoDict, PushKind, RedisResult};
use tokio::time::timeout;

use super::Shared;
use super::log::{self, Announced, LogId, News};
use super::store::Kept;
use super::writer::is_hopeless;

/// After this long without an announcement Redis is asked whether there is nothing new, which
/// also shows that it is there.
const SILENCE: Duration = Duration::from_secs(5);
/// After this long without an answer the connection counts as dead.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// The pauses between attempts to connect.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Entries read at a time.
const BATCH: usize = 100;

struct Reader {
    shared: Arc<Shared>,
    /// Everything up to this entry of the log has been handed on.
    cursor: LogId,
    /// The name of the life of the Redis that was read last (`run_id`).
    life: Option<String>,
}

pub(super) async fn run(shared: Arc<Shared>, cursor: LogId, life: Option<String>) {
    let mut reader = Reader {
        shared,
        cursor,
        life,
    };
    let mut pause = SHORTEST_PAUSE;
    loop {
        match reader.listen(&mut pause).await {
            Ok(()) => tracing::warn!("Redis has closed the connection"),
            Err(error) => tracing::warn!(%error, "Redis cannot be listened to"),
        }
        if let Some(local) = reader.shared.local.get() {
            local.count_reconnection();
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

impl Reader {
    /// Listens until the connection breaks. What was announced before it began to listen is read
    /// from the log.
    async fn listen(&mut self, pause: &mut Duration) -> RedisResult<()> {
        let (mut connection, mut pushes) = self.shared.listening_connection().await?;
        connection.subscribe(self.shared.log_key()).await?;
        self.greet(&mut connection).await?;
        self.close_gap(&mut connection).await?;
        self.read_log(&mut connection).await?;
        *pause = SHORTEST_PAUSE;
        loop {
            let missing = match timeout(SILENCE, pushes.recv()).await {
                Ok(Some(push)) if push.kind == PushKind::Disconnection => return Ok(()),
                Ok(Some(push)) => Announced::read(&push).is_some_and(|entry| !self.take(&entry)),
                Ok(None) => return Ok(()),
                Err(_) => true,
            };
            if missing {
                self.read_log(&mut connection).await?;
            }
            // Those who have got something have a chance to send it before more comes.
            tokio::task::yield_now().await;
        }
    }

    /// Takes an entry as it was announced, unless another is missing before it. Whether nothing is
    /// missing.
    fn take(&mut self, entry: &Announced) -> bool {
        if entry.id > self.cursor {
            if entry.previous != self.cursor {
                return false;
            }
            self.hand_on(entry.news());
            self.cursor = entry.id;
        }
        true
    }

    /// Reads the log from the cursor to its end.
    async fn read_log(&mut self, connection: &mut MultiplexedConnection) -> RedisResult<()> {
        loop {
            let mut command = redis::cmd("XREAD");
            command.arg("COUNT").arg(BATCH).arg("STREAMS");
            command
                .arg(self.shared.log_key())
                .arg(self.cursor.to_string());
            let reply: Option<StreamReadReply> = command.query_async(connection).await?;
            let Some(reply) = reply else { return Ok(()) };
            for entry in reply.keys.into_iter().flat_map(|log| log.ids) {
                self.hand_on(log::news(&entry));
                self.cursor = entry.id.parse().unwrap_or(self.cursor);
            }
            tokio::task::yield_now().await;
        }
    }

    fn hand_on(&self, news: Vec<News>) {
        let Some(local) = self.shared.local.get() else {
            return;
        };
        for news in news {
            match news {
                News::Message(message) => {
                    if let Some(published) = message.published() {
                        local.deliver(&published);
                    }
                }
                News::Disconnect(order) => local.disconnect(&order.tag, &order.disconnect()),
            }
        }
    }

    /// Finds out whether this is the Redis that was read before. One that has started anew, or has
    /// taken another's place, may have lost what was published last, and its log may be behind.
    async fn greet(&mut self, connection: &mut MultiplexedConnection) -> RedisResult<()> {
        let life = life_of(connection).await?;
        if life == self.life {
            return Ok(());
        }
        if self.life.is_some() {
            tracing::warn!("Redis has started anew: telling everyone again what exists");
            let end = self.shared.end_of_log(connection).await?;
            self.cursor = self.cursor.min(end);
            if let Some(local) = self.shared.local.get() {
                local.interrupted();
            }
        }
        // Last, so that whoever is interrupted here finds another life again.
        self.life = life;
        Ok(())
    }

    /// If the log does not reach back to the cursor, takes what is missing from the histories of
    /// the streams that are followed here.
    async fn close_gap(&mut self, connection: &mut MultiplexedConnection) -> RedisResult<()> {
        loop {
            let mut command = redis::cmd("XRANGE");
            command
                .arg(self.shared.log_key())
                .arg("-")
                .arg("+")
                .arg("COUNT")
                .arg(1);
            let log: StreamRangeReply = command.query_async(connection).await?;
            let first = log.ids.first().and_then(|entry| entry.id.parse().ok());
            let Some(before) = first.map(LogId::before) else {
                return Ok(());
            };
            if before <= self.cursor {
                return Ok(());
            }
            self.recover(before).await?;
            // Meanwhile the log may have lost more.
        }
    }

    /// Hands on what came after the cursor, up to a place that becomes the cursor.
    async fn recover(&mut self, upto: LogId) -> RedisResult<()> {
        let Some(local) = self.shared.local.get() else {
            return Ok(());
        };
        let mut missed = Vec::new();
        for stream in local.streams() {
            let (_, entries) = self.shared.kept(&stream).await?;
            let gap = |(at, _): &Kept| *at > self.cursor && *at <= upto;
            missed.extend(entries.into_iter().filter(gap));
        }
        if !missed.is_empty() {
            tracing::warn!(
                messages = missed.len(),
                "took from histories what the log had lost"
            );
        }
        local.count_recovered(missed.len());
        // The histories may have been too short.
        local.interrupted();
        missed.sort_by_key(|(at, _)| *at);
        missed
            .iter()
            .for_each(|(_, published)| local.deliver(published));
        self.cursor = upto;
        Ok(())
    }
}

/// The name of a Redis's life, from its start to its end; `None` for a user that may not ask.
pub(super) async fn life_of(connection: &mut impl ConnectionLike) -> RedisResult<Option<String>> {
    let info: RedisResult<InfoDict> = redis::cmd("INFO")
        .arg("server")
        .query_async(connection)
        .await;
    match info {
        Ok(info) => Ok(info.get("run_id")),
        Err(error) if is_hopeless(&error) => {
            tracing::debug!(%error, "Redis does not say who it is");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
