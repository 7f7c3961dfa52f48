//! The channels: who may follow what, and what is told at once.

use ::cable::{Application, Identifier, Message, Rejected};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{VERDICT, streams};
use crate::{
    client,
    error::Code,
    events::Failing,
    sign_on::{self, Told},
    site::Site,
    state::Shared,
};

/// Who is connected: the site whose token came with the connection, if one did.
pub struct Viewer {
    /// That site.
    pub site: Option<Site>,
}

/// The application behind the cable.
pub struct Channels(pub Shared);

/// Older pages call the token `token`; some send both.
#[derive(Deserialize)]
struct LoginParams {
    verification_token: Option<String>,
    token: Option<String>,
}

impl LoginParams {
    fn of(identifier: &Identifier) -> Option<String> {
        let params: Self = identifier.params().ok()?;
        params.verification_token.or(params.token)
    }
}

#[derive(Deserialize)]
struct DeviceParams {
    client_id: Uuid,
}

/// The message of a failed enrolment to `FacialSignOnDeviceChannel`.
#[derive(Serialize)]
pub(super) struct EnrolmentFailed {
    status: &'static str,
    client_id: Uuid,
    flow_type: String,
    error: &'static str,
    code: u16,
    user_message: &'static str,
}

pub(super) fn enrolment_failed(
    client_id: Uuid,
    flow_type: &str,
    failure: Failing,
) -> EnrolmentFailed {
    let code = Code::from(failure);
    EnrolmentFailed {
        status: "failed",
        client_id,
        flow_type: flow_type.to_owned(),
        error: code.slug(),
        code: code.number(),
        user_message: code.user_message(),
    }
}

/// Messages to `FacialSignOnDeviceChannel`.
#[derive(Serialize)]
pub(super) struct DeviceMessage {
    #[serde(skip_serializing_if = "Option::is_none")]
    registered: Option<bool>,
    status: &'static str,
    client_id: Uuid,
    flow_type: String,
    message: &'static str,
}

pub(super) fn registered(client_id: Uuid, flow_type: &str) -> DeviceMessage {
    DeviceMessage {
        registered: Some(true),
        status: "registered",
        client_id,
        flow_type: flow_type.to_owned(),
        message: "The phone is paired.",
    }
}

pub(super) fn uploaded(client_id: Uuid, flow_type: &str) -> DeviceMessage {
    DeviceMessage {
        registered: None,
        status: "uploaded",
        client_id,
        flow_type: flow_type.to_owned(),
        message: "The face is enrolled.",
    }
}

impl Channels {
    /// The token is the capability; of a site that asks for it, the connection must prove the site
    /// as well.
    async fn watch_login(&self, viewer: &Viewer, token: &str) -> Result<Vec<String>, Rejected> {
        let site_id = viewer.site.as_ref().map(|site| site.id);
        let watched = sign_on::watch(&self.0, token, site_id)
            .await
            .map_err(log)?
            .ok_or(Rejected)?;
        if watched.needs_site_token && site_id.is_none() {
            return Err(Rejected);
        }
        Ok(vec![streams::sign_on(
            &watched.channel_prefix,
            watched.sign_on_id,
        )])
    }

    async fn watch_device(
        &self,
        viewer: &Viewer,
        client_id: Uuid,
    ) -> Result<Vec<String>, Rejected> {
        let site = viewer.site.as_ref().ok_or(Rejected)?;
        let client = client::find(&self.0.db, site, client_id)
            .await
            .map_err(log)?;
        Ok(vec![streams::device(&site.channel_prefix, client.id)])
    }

    /// The verdict, if there is one already.
    async fn verdict(&self, token: &str) -> Option<Message> {
        let (_, verdict) = sign_on::find_watched(&self.0, token)
            .await
            .map_err(log)
            .ok()?;
        let message = Message::new(&Told::from(&verdict?)).map_err(log).ok()?;
        Some(message.with_key(VERDICT))
    }
}

impl Application for Channels {
    type Connection = Viewer;

    async fn subscribe(
        &self,
        viewer: &Viewer,
        identifier: &Identifier,
    ) -> Result<Vec<String>, Rejected> {
        match identifier.channel().as_deref() {
            Some("FacialSignOnLoginChannel") => {
                let token = LoginParams::of(identifier).ok_or(Rejected)?;
                self.watch_login(viewer, &token).await
            }
            Some("FacialSignOnDeviceChannel") => {
                let params: DeviceParams = identifier.params().map_err(|_| Rejected)?;
                self.watch_device(viewer, params.client_id).await
            }
            _ => Err(Rejected),
        }
    }

    async fn confirmed(&self, _: &Viewer, identifier: &Identifier) -> Vec<Message> {
        let channel = identifier.channel().unwrap_or_default();
        let mut messages = vec![Message::from(
            json!({ "type": "subscription_confirmed", "channel": channel }),
        )];
        if channel == "FacialSignOnLoginChannel"
            && let Some(token) = LoginParams::of(identifier)
        {
            messages.extend(self.verdict(&token).await);
        }
        messages
    }
}

fn log(error: impl std::fmt::Display) -> Rejected {
    tracing::debug!(%error, "a subscription was refused");
    Rejected
}
