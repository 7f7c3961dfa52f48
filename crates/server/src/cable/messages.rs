//! What is said on which stream: events as messages.

use ::cable::Message;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::streams;
use crate::{
    platform::{
        code::Code,
        events::{Event, Failing},
    },
    sign_on::{Told, Waiting},
};

/// The key under which a verdict is delivered once, whether it is found or broadcast.
pub(super) const VERDICT: &str = "verdict";

/// Messages to `FacialSignOnDeviceChannel`.
#[derive(Serialize)]
struct DeviceMessage<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    registered: Option<bool>,
    status: &'static str,
    client_id: Uuid,
    flow_type: &'a str,
    message: &'static str,
}

/// The message of a failed enrolment to `FacialSignOnDeviceChannel`.
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

/// The page's stream and the message for it; `None` for what is not for pages.
pub(super) fn for_page(event: &Event) -> Option<(String, Result<Message, serde_json::Error>)> {
    Some(match event {
        Event::Registered {
            at,
            client_id,
            flow_type,
        } => (
            streams::device(&at.channel_prefix, *client_id),
            Message::new(&DeviceMessage {
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
            streams::device(&at.channel_prefix, *client_id),
            Message::new(&DeviceMessage {
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
            streams::device(&at.channel_prefix, *client_id),
            Message::new(&enrolment_failed(*client_id, flow_type, *failure)),
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
            ..
        } => (
            streams::sign_on(&at.channel_prefix, *sign_on_id),
            Message::new(&Told::from(verdict)).map(|message| message.with_key(VERDICT)),
        ),
        Event::Asked { .. } => return None,
    })
}

/// A sign-on that waits, for the phone's inbox.
pub(super) fn waiting(waiting: &Waiting) -> Result<Message, serde_json::Error> {
    #[derive(Serialize)]
    struct Entry<'a> {
        status: &'static str,
        #[serde(flatten)]
        waiting: &'a Waiting,
    }
    let entry = Entry {
        status: "pending",
        waiting,
    };
    let id = waiting.sign_on_id();
    Ok(Message::new(&entry)?.with_key(format!("pending {id}")))
}

/// A sign-on that waits no more, for the phone's inbox.
pub(super) fn closed(sign_on_id: Uuid) -> Message {
    let message = json!({ "status": "closed", "sign_on_id": sign_on_id });
    Message::from(message).with_key(format!("closed {sign_on_id}"))
}
