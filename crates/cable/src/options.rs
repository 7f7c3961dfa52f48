//! The settings of a cable, and the reasons it gives when it hangs up.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::history::HistoryOptions;

/// The settings of a [`Cable`](crate::Cable).
///
/// ```
/// let options = cable::Options { max_subscriptions: 16, ..Default::default() };
/// # let _ = options;
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    /// Time between two pings to a connection. Official clients reconnect after 6 s of silence
    /// and Rails pings every 3 s (`Server::Connections::BEAT_INTERVAL`), the default.
    pub ping_interval: Duration,
    /// The largest frame a client may send, in bytes; by default 16 KiB. A larger one ends the
    /// connection with `invalid_request` and the close code 1009.
    pub max_frame_bytes: usize,
    /// Subscriptions one connection may have, by default 64; further ones are rejected.
    pub max_subscriptions: usize,
    /// Connections this process takes, by default as many as come. Further ones are
    /// [refused](crate::Refusal::Full) before the upgrade.
    pub max_connections: usize,
    /// Connections of one address, for those that are let in with their
    /// [address](crate::Handshake::from_peer); by default 1,000, for whole offices share one.
    pub max_connections_per_peer: usize,
    /// How often one connection may ask for a subscription or for history: this many times at
    /// once, and again one for each [`ask_every`](Self::ask_every). By default 128, which must be
    /// more than a page that comes back asks for. A subscription that is too much ends the
    /// connection with `rate_limited`, without asking the application.
    pub ask_burst: u32,
    /// See [`ask_burst`](Self::ask_burst); by default 100 ms.
    pub ask_every: Duration,
    /// Messages waiting for one connection before it counts as too slow and is dropped; by
    /// default 1024. A burst that is broadcast without a pause must fit. While a batch is being
    /// written another may wait, so that memory is bounded by twice this.
    pub queue_messages: usize,
    /// Bytes waiting for one connection before it counts as too slow, by default 256 KiB.
    pub queue_bytes: usize,
    /// How long a connection may take to take the `disconnect` frame and close; by default 5 s.
    pub close_timeout: Duration,
    /// How much is remembered for those who were away.
    pub history: HistoryOptions,
    /// Where the time in pings and histories comes from; by default the system's clock.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ping_interval: Duration::from_secs(3),
            max_frame_bytes: 16 * 1024,
            max_subscriptions: 64,
            max_connections: usize::MAX,
            max_connections_per_peer: 1000,
            ask_burst: 128,
            ask_every: Duration::from_millis(100),
            queue_messages: 1024,
            queue_bytes: 256 * 1024,
            close_timeout: Duration::from_secs(5),
            history: HistoryOptions::default(),
            clock: Clock::default(),
        }
    }
}

/// A source of wall-clock time, so that tests can supply their own.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Duration + Send + Sync>);

impl Clock {
    /// A clock that reads the time, as the span since the Unix epoch, from a function.
    pub fn new(since_epoch: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(since_epoch))
    }

    /// The span since the Unix epoch.
    pub(crate) fn now(&self) -> Duration {
        (self.0)()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(|| {
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default()
        })
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// Why the server hangs up, and whether the client should come back: the `disconnect` frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disconnect {
    /// The reason as Action Cable names it, for instance `unauthorized`.
    pub reason: Cow<'static, str>,
    /// Whether the client is to reconnect by itself.
    pub reconnect: bool,
}

impl Disconnect {
    /// The client may not connect (Rails: `reject_unauthorized_connection`).
    pub const fn unauthorized() -> Self {
        Self {
            reason: Cow::Borrowed("unauthorized"),
            reconnect: false,
        }
    }

    /// The client sent what no client should, such as a frame that is too large.
    pub const fn invalid_request() -> Self {
        Self {
            reason: Cow::Borrowed("invalid_request"),
            reconnect: false,
        }
    }

    /// The server goes down; another, or the same in a moment, will take the client.
    pub const fn server_restart() -> Self {
        Self {
            reason: Cow::Borrowed("server_restart"),
            reconnect: true,
        }
    }

    /// The application cannot answer at this moment; the client is to ask again.
    pub const fn unavailable() -> Self {
        Self {
            reason: Cow::Borrowed("unavailable"),
            reconnect: true,
        }
    }

    /// The token that the connection was opened with has expired. The reason is AnyCable's: its
    /// clients get another token and come back with it.
    pub const fn token_expired() -> Self {
        Self {
            reason: Cow::Borrowed("token_expired"),
            reconnect: false,
        }
    }

    /// The client asks too often; it is to come back later, as clients do by themselves.
    pub const fn rate_limited() -> Self {
        Self {
            reason: Cow::Borrowed("rate_limited"),
            reconnect: true,
        }
    }

    /// The application ended the connection from elsewhere (Rails: `remote_connections`).
    pub const fn remote(reconnect: bool) -> Self {
        Self {
            reason: Cow::Borrowed("remote"),
            reconnect,
        }
    }

    /// The client reads more slowly than messages come. The reason is AnyCable's; Rails lets
    /// queues grow instead.
    pub const fn too_slow() -> Self {
        Self {
            reason: Cow::Borrowed("too_slow"),
            reconnect: true,
        }
    }

    /// The client stopped answering pings (clients of `actioncable-v1-ext-json` that answer them
    /// at all). The reason is AnyCable's.
    pub const fn no_pong() -> Self {
        Self {
            reason: Cow::Borrowed("no_pong"),
            reconnect: true,
        }
    }
}
