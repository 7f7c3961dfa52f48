//! Reads the log of everything that is published and hands it to the connections of this process.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::streams::{StreamId, StreamRangeReply, StreamReadReply};
use redis::{InfoDict, RedisResult};

use super::writer::is_hopeless;
use super::{Kept, LogId, Shared, log_id, log_id_text, message};
use crate::message::{Position, Published};
use crate::options::Disconnect;

/// How long Redis holds a read when there is nothing new.
const HOLD: Duration = Duration::from_secs(5);
/// After this long without an answer the connection counts as dead.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// The longest pause between two attempts to connect.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Entries read at a time.
const BATCH: usize = 200;

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
    let mut pause = Duration::from_millis(20);
    loop {
        match reader.read_on(&mut pause).await {
            Ok(()) => {}
            Err(error) => tracing::warn!(%error, "the log in Redis cannot be read"),
        }
        if let Some(local) = reader.shared.local.get() {
            local.count_reconnection();
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

impl Reader {
    /// Reads until the connection breaks.
    async fn read_on(&mut self, pause: &mut Duration) -> RedisResult<()> {
        let mut connection = self.shared.reading_connection().await?;
        self.greet(&mut connection).await?;
        self.close_gap(&mut connection).await?;
        loop {
            let mut command = redis::cmd("XREAD");
            command
                .arg("COUNT")
                .arg(BATCH)
                .arg("BLOCK")
                .arg(super::milliseconds(HOLD));
            command
                .arg("STREAMS")
                .arg(self.shared.log_key())
                .arg(log_id_text(self.cursor));
            let reply: Option<StreamReadReply> = command.query_async(&mut connection).await?;
            *pause = Duration::from_millis(20);
            let entries = reply
                .into_iter()
                .flat_map(|reply| reply.keys)
                .flat_map(|log| log.ids);
            for entry in entries {
                self.hand_on(&entry);
                self.cursor = log_id(&entry.id).unwrap_or(self.cursor);
            }
            // Those who have got something have a chance to send it before more comes.
            tokio::task::yield_now().await;
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

    fn hand_on(&self, entry: &StreamId) {
        let Some(local) = self.shared.local.get() else {
            return;
        };
        if let Some(tag) = entry.get::<String>("d") {
            let reason = entry.get::<String>("n").unwrap_or_default().into();
            let reconnect = entry.get::<u8>("r") != Some(0);
            local.disconnect(&tag, &Disconnect { reason, reconnect });
            return;
        }
        let Some(published) = published(entry) else {
            return;
        };
        local.deliver(&published);
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
            let Some(first) = log.ids.first().and_then(|entry| log_id(&entry.id)) else {
                return Ok(());
            };
            let before = match first {
                (time, 0) => (time.saturating_sub(1), u64::MAX),
                (time, number) => (time, number - 1),
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

fn published(entry: &StreamId) -> Option<Published> {
    let epoch: String = entry.get("e")?;
    let position = Position {
        epoch: epoch.into(),
        offset: entry.get("o")?,
    };
    let stream: String = entry.get("s")?;
    Some(Published {
        stream: stream.into(),
        message: message(&entry.map)?,
        position: Some(position),
    })
}
