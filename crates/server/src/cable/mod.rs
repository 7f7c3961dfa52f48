//! The cable: pages subscribe here and hear what happens. It listens to the slices' events; no
//! slice knows of it.

mod channels;
pub mod http;
mod streams;

use ::cable::{
    Cable, Message, Options,
    fanout::redis::{ConnectError, Redis, RedisOptions},
};

pub use channels::{Channels, Viewer};

use crate::{
    config,
    events::{Event, Events},
    sign_on::Told,
};

/// The key under which a verdict is delivered once, whether it is found or broadcast.
const VERDICT: &str = "verdict";

/// Opens the cable: over Redis where one is set, else in this process alone.
///
/// # Errors
/// When Redis does not answer.
pub async fn open(settings: &config::Redis) -> Result<Cable, ConnectError> {
    if settings.url.is_empty() {
        return Ok(Cable::default());
    }
    let options = RedisOptions {
        prefix: settings.prefix.clone(),
        ..RedisOptions::default()
    };
    let redis = Redis::connect(&settings.url, options).await?;
    Ok(Cable::with_fanout(Options::default(), redis))
}

/// Broadcasts what happens, from now on.
pub fn connect(events: &Events, cable: &Cable) {
    let cable = cable.clone();
    events.listen(move |event| {
        let (stream, message) = match event {
            Event::Registered {
                at,
                client_id,
                flow_type,
            } => (
                streams::device(&at.channel_prefix, *client_id),
                Message::new(&channels::registered(*client_id, flow_type)),
            ),
            Event::Uploaded {
                at,
                client_id,
                flow_type,
            } => (
                streams::device(&at.channel_prefix, *client_id),
                Message::new(&channels::uploaded(*client_id, flow_type)),
            ),
            Event::EnrolmentFailed {
                at,
                client_id,
                flow_type,
                failure,
            } => (
                streams::device(&at.channel_prefix, *client_id),
                Message::new(&channels::enrolment_failed(*client_id, flow_type, *failure)),
            ),
            Event::Scanning { at, sign_on_id } => (
                streams::sign_on(&at.channel_prefix, *sign_on_id),
                Message::new(&Told::Scanning),
            ),
            Event::Retry {
                at,
                sign_on_id,
                failure,
                left,
            } => (
                streams::sign_on(&at.channel_prefix, *sign_on_id),
                Message::new(&Told::retry(*failure, *left)),
            ),
            Event::Decided {
                at,
                sign_on_id,
                verdict,
            } => (
                streams::sign_on(&at.channel_prefix, *sign_on_id),
                Message::new(&Told::from(verdict)).map(|message| message.with_key(VERDICT)),
            ),
        };
        match message {
            Ok(message) => cable.broadcast(&stream, message),
            Err(error) => tracing::error!(%error, "cannot write a cable message"),
        }
    });
}
