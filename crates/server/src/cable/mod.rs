//! The cable: pages subscribe here and hear what happens. It listens to the slices' events; no
//! slice knows of it.

mod attempts;
pub mod backend;
mod channels;
pub mod http;
mod outbox;
mod publisher;

use ::cable::{
    Cable, Options,
    fanout::redis::{ConnectError, Redis, RedisOptions},
};

pub use self::{
    attempts::Attempts,
    channels::{Channels, SiteViewer, Viewer, Who},
    publisher::Publisher,
};

use crate::platform::config::Settings;

/// Opens the cable: over Redis where one is set, else in this process alone.
///
/// # Errors
/// When Redis does not answer.
pub async fn open(settings: &Settings) -> Result<Cable, ConnectError> {
    let options = Options {
        max_connections_per_peer: settings.cable.connections_per_ip,
        ..Options::default()
    };
    if settings.redis.url.is_empty() {
        return Ok(Cable::new(options));
    }
    let shared = RedisOptions {
        prefix: settings.redis.prefix.clone(),
        ..RedisOptions::default()
    };
    let redis = Redis::connect(&settings.redis.url, shared).await?;
    Ok(Cable::with_fanout(options, redis))
}
