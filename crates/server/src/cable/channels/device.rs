//! `FacialSignOnDeviceChannel`: pairing and enrolment of one client, for the site's pages.

use ::cable::Message;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Asked, Channel, ChannelError, Granted, Published};
use crate::{
    client, enrolment, face,
    platform::{code::Code, events::Event},
};

pub(super) const CHANNEL: Channel = Channel {
    name: "FacialSignOnDeviceChannel",
    streams: |asked| Box::pin(streams(asked)),
    existing: |asked| Box::pin(existing(asked)),
    message,
};

#[derive(Deserialize)]
struct Params {
    client_id: Uuid,
}

fn stream(channel_prefix: &str, client_id: Uuid) -> String {
    format!("{channel_prefix}:device:{client_id}")
}

/// Needs the token of the client's site.
async fn streams(asked: Asked<'_>) -> Result<Granted, ChannelError> {
    let params: Params = asked
        .identifier
        .params()
        .map_err(|_| ChannelError::Rejected)?;
    let site = asked.viewer.site().ok_or(ChannelError::Rejected)?;
    let client = client::find(&asked.state.db, site, params.client_id).await?;
    Ok(Granted {
        site_id: site.id,
        streams: vec![stream(&site.channel_prefix, client.id)],
    })
}

#[derive(Serialize)]
struct Step<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    registered: Option<bool>,
    status: &'static str,
    client_id: Uuid,
    flow_type: &'a str,
    message: &'static str,
}

#[derive(Serialize)]
struct EnrolmentFailed<'a> {
    status: &'static str,
    client_id: Uuid,
    flow_type: &'a str,
    error: &'static str,
    code: u16,
    user_message: &'static str,
    message: &'static str,
}

fn enrolment_failed(client_id: Uuid, flow_type: &str, code: Code) -> EnrolmentFailed<'_> {
    EnrolmentFailed {
        status: "failed",
        client_id,
        flow_type,
        error: code.slug(),
        code: code.number(),
        user_message: code.user_message(),
        message: "The face is not enrolled.",
    }
}

fn registered(client_id: Uuid, flow_type: &str) -> Result<Message, serde_json::Error> {
    Message::new(&Step {
        registered: Some(true),
        status: "registered",
        client_id,
        flow_type,
        message: "The phone is paired.",
    })
}

fn uploaded(client_id: Uuid, flow_type: &str) -> Result<Message, serde_json::Error> {
    Message::new(&Step {
        registered: None,
        status: "uploaded",
        client_id,
        flow_type,
        message: "The face is enrolled.",
    })
}

/// What became of the latest code, as long as it would have lived: a page may have been away when it was
/// told. One that was not may hear it twice.
async fn existing(asked: Asked<'_>) -> Result<Vec<Message>, ChannelError> {
    let params: Params = asked
        .identifier
        .params()
        .map_err(|_| ChannelError::Rejected)?;
    let site = asked.viewer.site().ok_or(ChannelError::Rejected)?;
    let (state, now) = (asked.state, asked.state.now());
    let client_id = params.client_id;
    let used = enrolment::last_used(&state.db, site.id, client_id, now).await?;
    let Some((flow_type, used_at)) = used else {
        return Ok(Vec::new());
    };
    let has_face = face::is_enrolled_since(&state.db, site.id, client_id, used_at).await?;
    let told = if has_face { uploaded } else { registered };
    Ok(vec![told(client_id, flow_type.as_str())?])
}

fn message(event: &Event) -> Option<Published> {
    let (at, client_id, message) = match event {
        Event::Registered {
            at,
            client_id,
            flow_type,
        } => (at, client_id, registered(*client_id, flow_type)),
        Event::Uploaded {
            at,
            client_id,
            flow_type,
        } => (at, client_id, uploaded(*client_id, flow_type)),
        Event::EnrolmentFailed {
            at,
            client_id,
            flow_type,
            code,
        } => (
            at,
            client_id,
            Message::new(&enrolment_failed(*client_id, flow_type, *code)),
        ),
        _ => return None,
    };
    Some((stream(&at.channel_prefix, *client_id), message))
}
