//! `FacialSignOnLoginChannel`: what becomes of one sign-on, for the page that waits for it.

use ::cable::{Identifier, Message};
use serde::Deserialize;
use uuid::Uuid;

use super::{Asked, Channel, ChannelError, Granted, Published};
use crate::{
    platform::events::Event,
    sign_on::{self, PageStatus},
};

pub(super) const CHANNEL: Channel = Channel {
    name: "FacialSignOnLoginChannel",
    streams: |asked| Box::pin(streams(asked)),
    existing: |asked| Box::pin(existing(asked)),
    message,
};

/// The key under which a verdict is delivered once, whether it is found or broadcast.
const VERDICT: &str = "verdict";

/// Whether this is the verdict of a sign-on.
pub(in crate::cable) fn is_verdict(message: &Message) -> bool {
    message.key() == Some(VERDICT)
}

/// Older pages call the token `token`; some send both.
#[derive(Deserialize)]
struct Params {
    verification_token: Option<String>,
    token: Option<String>,
}

fn token(identifier: &Identifier) -> Result<String, ChannelError> {
    let params: Params = identifier.params().map_err(|_| ChannelError::Rejected)?;
    let token = params.verification_token.or(params.token);
    token.ok_or(ChannelError::Rejected)
}

fn stream(channel_prefix: &str, sign_on_id: Uuid) -> String {
    format!("{channel_prefix}:sign_on:{sign_on_id}")
}

/// The token is the capability; of a site that asks for it, the connection must prove the site as
/// well, and a page must be one of the site's.
async fn streams(asked: Asked<'_>) -> Result<Granted, ChannelError> {
    let token = token(asked.identifier)?;
    let site_id = asked.viewer.site().map(|site| site.id);
    let watched = sign_on::watch(asked.state, &token, site_id)
        .await?
        .ok_or(ChannelError::Rejected)?;
    let from_there = watched.site.admits(asked.viewer.origin.as_deref());
    if (watched.site.settings.cable_token && site_id.is_none()) || !from_there {
        return Err(ChannelError::Rejected);
    }
    Ok(Granted {
        site_id: watched.site.id,
        streams: vec![stream(&watched.site.channel_prefix, watched.sign_on_id)],
    })
}

/// The verdict, if there is one.
async fn existing(asked: Asked<'_>) -> Result<Vec<Message>, ChannelError> {
    let token = token(asked.identifier)?;
    let (_, verdict) = sign_on::find_watched(asked.state, &token).await?;
    let message = verdict.map(|verdict| Message::new(&PageStatus::from(&verdict)));
    let message = message.transpose()?;
    Ok(message
        .map(|message| message.with_key(VERDICT))
        .into_iter()
        .collect())
}

fn message(event: &Event) -> Option<Published> {
    let (at, sign_on_id, message) = match event {
        Event::Scanning { at, sign_on_id } => (at, sign_on_id, Message::new(&PageStatus::Scanning)),
        Event::Retry {
            at,
            sign_on_id,
            failure,
            left,
        } => (
            at,
            sign_on_id,
            Message::new(&PageStatus::retry(*failure, *left)),
        ),
        Event::Decided {
            at,
            sign_on_id,
            verdict,
            ..
        } => {
            let message = Message::new(&PageStatus::from(verdict));
            (
                at,
                sign_on_id,
                message.map(|message| message.with_key(VERDICT)),
            )
        }
        _ => return None,
    };
    Some((stream(&at.channel_prefix, *sign_on_id), message))
}
