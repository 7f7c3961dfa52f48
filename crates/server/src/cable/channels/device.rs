//! `FacialSignOnDeviceChannel`: pairing and enrolment of one client, for the site's pages.

use ::cable::Message;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Asked, Channel, ChannelError, Published};
use crate::{
    client,
    platform::{
        code::Code,
        events::{Event, Failing},
    },
};

pub(super) const CHANNEL: Channel = Channel {
    name: "FacialSignOnDeviceChannel",
    streams: |asked| Box::pin(streams(asked)),
    existing: |_| Box::pin(std::future::ready(Ok(Vec::new()))),
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
async fn streams(asked: Asked<'_>) -> Result<Vec<String>, ChannelError> {
    let params: Params = asked
        .identifier
        .params()
        .map_err(|_| ChannelError::Rejected)?;
    let site = asked.viewer.site().ok_or(ChannelError::Rejected)?;
    let client = client::find(&asked.state.db, site, params.client_id).await?;
    Ok(vec![stream(&site.channel_prefix, client.id)])
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
}

fn enrolment_failed(client_id: Uuid, flow_type: &str, failure: Failing) -> EnrolmentFailed<'_> {
    let code = Code::from(failure);
    EnrolmentFailed {
        status: "failed",
        client_id,
        flow_type,
        error: code.slug(),
        code: code.number(),
        user_message: code.user_message(),
    }
}

fn message(event: &Event) -> Option<Published> {
    let (at, client_id, message) = match event {
        Event::Registered {
            at,
            client_id,
            flow_type,
        } => (
            at,
            client_id,
            Message::new(&Step {
                registered: Some(true),
                status: "registered",
                client_id: *client_id,
                flow_type,
                message: "The phone is paired.",
            }),
        ),
        Event::Uploaded {
            at,
            client_id,
            flow_type,
        } => (
            at,
            client_id,
            Message::new(&Step {
                registered: None,
                status: "uploaded",
                client_id: *client_id,
                flow_type,
                message: "The face is enrolled.",
            }),
        ),
        Event::EnrolmentFailed {
            at,
            client_id,
            flow_type,
            failure,
        } => (
            at,
            client_id,
            Message::new(&enrolment_failed(*client_id, flow_type, *failure)),
        ),
        _ => return None,
    };
    Some((stream(&at.channel_prefix, *client_id), message))
}
