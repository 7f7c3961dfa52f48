//! The cable: pages subscribe here and hear what happens. It listens to the slices' events; no
//! slice knows of it.

mod attempts;
pub mod backend;
mod channels;
mod connected;
pub mod http;
mod outbox;
mod publisher;
mod seal;

use ::cable::{
    Cable, Options,
    fanout::redis::{ConnectError, Redis, RedisOptions, Sealing},
};

pub use self::{
    attempts::Attempts,
    channels::{Channels, SiteViewer, Viewer, Who},
    connected::Connected,
    publisher::Publisher,
};

use self::seal::FanoutSeal;
use crate::platform::{
    config::Settings,
    keys::{KeyError, Keyring},
};

/// Why the cable does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Redis does not answer, or not as it should.
    #[error("{}", told(.0))]
    Redis(#[from] ConnectError),
    /// The key that seals what lies in Redis cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Why Redis cannot be used, and what to do about it.
#[must_use]
pub fn told(error: &ConnectError) -> String {
    match error {
        // These say it themselves.
        ConnectError::Address(_) | ConnectError::Mode(_) | ConnectError::Rights { .. } => {
            error.to_string()
        }
        ConnectError::Redis(_) => format!("{error}; check redis.url and that it is running"),
    }
}

/// Opens the cable: over Redis where one is set, else in this process alone.
///
/// # Errors
/// See [`OpenError`].
pub async fn open(settings: &Settings, keys: &Keyring) -> Result<Cable, OpenError> {
    let options = Options {
        max_connections_per_peer: settings.cable.connections_per_ip,
        ..Options::default()
    };
    if settings.redis.url.is_empty() {
        return Ok(Cable::new(options));
    }
    let shared = RedisOptions {
        prefix: settings.redis.prefix.clone(),
        sealing: Sealing::new(FanoutSeal::new(keys)?),
        ..RedisOptions::default()
    };
    let redis = Redis::connect(&settings.redis.url, shared).await?;
    Ok(Cable::with_fanout(options, redis))
}
