//! What the tasks of this fan-out share: its settings, its connections, the names of its keys.

use std::sync::OnceLock;
use std::time::Duration;

use redis::aio::{ConnectionManager, MultiplexedConnection};
use redis::{AsyncConnectionConfig, Client, PushInfo, RedisResult};
use tokio::sync::mpsc;

use super::replica::Replica;
use super::seal::Sealing;
use crate::fanout::Local;
use crate::history::HistoryOptions;

/// After this long without an answer a connection counts as dead.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);

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
    /// How what lies in Redis is sealed; by default not at all.
    pub sealing: Sealing,
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
            sealing: Sealing::default(),
            queue: 100_000,
        }
    }
}

/// What the tasks share with the handle.
pub(super) struct Shared {
    pub(super) options: RedisOptions,
    pub(super) client: Client,
    pub(super) connection: ConnectionManager,
    pub(super) replica: Replica,
    pub(super) local: OnceLock<Local>,
}

impl Shared {
    pub(super) fn key(&self, kind: &str, name: &str) -> String {
        format!("{}:{kind}:{name}", self.options.prefix)
    }

    pub(super) fn log_key(&self) -> String {
        format!("{}:log", self.options.prefix)
    }

    pub(super) fn head_key(&self) -> String {
        format!("{}:head", self.options.prefix)
    }

    /// A connection of its own for listening: announcements do not wait behind answers.
    pub(super) async fn listening_connection(
        &self,
    ) -> RedisResult<(MultiplexedConnection, mpsc::UnboundedReceiver<PushInfo>)> {
        let (sender, pushes) = mpsc::unbounded_channel();
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(Duration::from_secs(2)))
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_push_sender(sender);
        let connect = self
            .client
            .get_multiplexed_async_connection_with_config(&config);
        Ok((connect.await?, pushes))
    }
}

pub(super) fn new_epoch() -> String {
    format!("{:016x}", rand::random::<u64>())
}

pub(super) fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
