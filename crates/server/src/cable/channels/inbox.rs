//! `DeviceInboxChannel`: which sign-ons wait for the phone that is connected.

use ::cable::Message;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{Asked, Channel, ChannelError, Granted, Published, Who};
use crate::{
    platform::events::Event,
    sign_on::{self, InboxEntry},
    site,
};

pub(super) const CHANNEL: Channel = Channel {
    name: "DeviceInboxChannel",
    streams: |asked| Box::pin(streams(asked)),
    existing: |asked| Box::pin(existing(asked)),
    message,
};

/// The stream of one phone, for what it alone is asked; of a client, for what all their phones may know.
pub(in crate::cable) fn stream(channel_prefix: &str, id: Uuid) -> String {
    format!("{channel_prefix}:inbox:{id}")
}

/// Needs the phone's own token and proof.
async fn streams(asked: Asked<'_>) -> Result<Granted, ChannelError> {
    let Who::Phone(device, _) = &asked.viewer.who else {
        return Err(ChannelError::Rejected);
    };
    let site = site::find_enabled(&asked.state.db, device.site_id)
        .await?
        .ok_or(ChannelError::Rejected)?;
    Ok(Granted {
        site_id: site.id,
        streams: [device.id, device.client_id]
            .map(|id| stream(&site.channel_prefix, id))
            .into(),
    })
}

/// Tells the sign-ons that already wait when the phone subscribes.
async fn existing(asked: Asked<'_>) -> Result<Vec<Message>, ChannelError> {
    let Who::Phone(device, _) = &asked.viewer.who else {
        return Err(ChannelError::Rejected);
    };
    let open = sign_on::open_for(asked.state, device).await?;
    let messages: Result<_, _> = open.iter().map(pending).collect();
    Ok(messages?)
}

/// A sign-on that waits.
pub(in crate::cable) fn pending(waiting: &InboxEntry) -> Result<Message, serde_json::Error> {
    #[derive(Serialize)]
    struct Entry<'a> {
        status: &'static str,
        #[serde(flatten)]
        waiting: &'a InboxEntry,
    }
    let entry = Entry {
        status: "pending",
        waiting,
    };
    let id = waiting.sign_on_id();
    Ok(Message::new(&entry)?.with_key(format!("pending {id}")))
}

/// A sign-on that needs no answer any more, or a phone of the client that was added, confirmed or removed.
/// A sign-on that was asked for is looked up before it is told, see [`Publisher`](crate::cable::Publisher).
fn message(event: &Event) -> Option<Published> {
    let (at, client_id, message) = match event {
        Event::Decided {
            at,
            client_id,
            sign_on_id,
            ..
        } => {
            let message = json!({ "status": "closed", "sign_on_id": sign_on_id });
            let message = Message::from(message).with_key(format!("closed {sign_on_id}"));
            (at, client_id, message)
        }
        Event::PhoneChanged {
            at,
            client_id,
            device_id,
            change,
        } => {
            let change = change.as_str();
            let message = json!({ "status": "phone", "device_id": device_id, "change": change });
            (at, client_id, Message::from(message))
        }
        _ => return None,
    };
    Some((stream(&at.channel_prefix, *client_id), Ok(message)))
}
