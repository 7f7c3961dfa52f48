//! The channels: who may follow what, and what is told at once.

use std::{fmt::Display, net::IpAddr};

use ::cable::{Application, Cable, Disconnect, Identifier, Message, Rejected};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{Attempts, messages, streams};
use crate::{
    client::{self, ClientError},
    device::Device,
    platform::state::Shared,
    sign_on::{self, SignOnError, Told},
    site::{self, Site},
};

/// Who is connected.
pub struct Viewer {
    /// What the connection has proven.
    pub who: Who,
    /// Where the page comes from, if a browser says so.
    pub origin: Option<Box<str>>,
    /// From where.
    pub ip: IpAddr,
    /// A name of this connection alone.
    pub tag: String,
}

/// What a connection can prove.
pub enum Who {
    /// Nothing.
    Anyone,
    /// It has a site's token.
    Site(Box<Site>),
    /// It is this phone.
    Phone(Box<Device>),
}

impl Viewer {
    fn site(&self) -> Option<&Site> {
        match &self.who {
            Who::Site(site) => Some(site),
            Who::Anyone | Who::Phone(_) => None,
        }
    }
}

/// The application behind the cable.
pub struct Channels {
    pub(super) state: Shared,
    pub(super) cable: Cable,
    pub(super) attempts: Attempts,
}

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

/// Why there is no answer.
enum Failure {
    /// It is not theirs to follow.
    Rejected,
    /// It cannot be said now.
    Unavailable,
}

impl From<SignOnError> for Failure {
    fn from(error: SignOnError) -> Self {
        match error {
            SignOnError::Database(error) => unavailable(&error),
            SignOnError::Client(error) => error.into(),
            _ => Self::Rejected,
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Database(error) => unavailable(&error),
            _ => Self::Rejected,
        }
    }
}

impl From<sea_orm::DbErr> for Failure {
    fn from(error: sea_orm::DbErr) -> Self {
        unavailable(&error)
    }
}

fn unavailable(error: &dyn Display) -> Failure {
    tracing::warn!(%error, "a subscription cannot be looked up; its page is asked to come again");
    Failure::Unavailable
}

impl Channels {
    /// The token is the capability; of a site that asks for it, the connection must prove the site
    /// as well, and of one that lists its origins, it must come from there.
    async fn watch_login(&self, viewer: &Viewer, token: &str) -> Result<Vec<String>, Failure> {
        let site_id = viewer.site().map(|site| site.id);
        let watched = sign_on::watch(&self.state, token, site_id)
            .await?
            .ok_or(Failure::Rejected)?;
        let from_there = watched.origins.admit(viewer.origin.as_deref());
        if (watched.needs_site_token && site_id.is_none()) || !from_there {
            return Err(Failure::Rejected);
        }
        Ok(vec![streams::sign_on(
            &watched.channel_prefix,
            watched.sign_on_id,
        )])
    }

    async fn watch_device(&self, viewer: &Viewer, client_id: Uuid) -> Result<Vec<String>, Failure> {
        let site = viewer.site().ok_or(Failure::Rejected)?;
        let client = client::find(&self.state.db, site, client_id).await?;
        Ok(vec![streams::device(&site.channel_prefix, client.id)])
    }

    async fn watch_inbox(&self, viewer: &Viewer) -> Result<Vec<String>, Failure> {
        let Who::Phone(device) = &viewer.who else {
            return Err(Failure::Rejected);
        };
        let site = site::find_enabled(&self.state.db, device.site_id)
            .await?
            .ok_or(Failure::Rejected)?;
        Ok(vec![streams::inbox(&site.channel_prefix, device.client_id)])
    }

    async fn watch(
        &self,
        viewer: &Viewer,
        identifier: &Identifier,
    ) -> Result<Vec<String>, Failure> {
        match identifier.channel().as_deref() {
            Some("FacialSignOnLoginChannel") => {
                let token = LoginParams::of(identifier).ok_or(Failure::Rejected)?;
                self.watch_login(viewer, &token).await
            }
            Some("FacialSignOnDeviceChannel") => {
                let params: DeviceParams = identifier.params().map_err(|_| Failure::Rejected)?;
                self.watch_device(viewer, params.client_id).await
            }
            Some("DeviceInboxChannel") => self.watch_inbox(viewer).await,
            _ => Err(Failure::Rejected),
        }
    }

    /// What exists already: the verdict, or what waits for the phone.
    async fn existing(
        &self,
        viewer: &Viewer,
        identifier: &Identifier,
    ) -> Result<Vec<Message>, Failure> {
        match (identifier.channel().as_deref(), &viewer.who) {
            (Some("FacialSignOnLoginChannel"), _) => {
                let token = LoginParams::of(identifier).ok_or(Failure::Rejected)?;
                let (_, verdict) = sign_on::find_watched(&self.state, &token).await?;
                let told = verdict.map(|verdict| Message::new(&Told::from(&verdict)));
                Ok(written(told)
                    .map(|m| m.with_key(messages::VERDICT))
                    .collect())
            }
            (Some("DeviceInboxChannel"), Who::Phone(device)) => {
                let open = sign_on::open_for(&self.state, device).await?;
                Ok(written(open.iter().map(messages::waiting)).collect())
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Sends this connection's client away to come again, and gives no answer until it is gone: a
    /// page that is confirmed without its verdict, or rejected for good, would wait for ever.
    async fn hang_up<T>(&self, viewer: &Viewer) -> T {
        self.cable.hang_up(&viewer.tag, &Disconnect::unavailable());
        std::future::pending().await
    }
}

fn written(
    messages: impl IntoIterator<Item = Result<Message, serde_json::Error>>,
) -> impl Iterator<Item = Message> {
    messages.into_iter().filter_map(|message| {
        message
            .inspect_err(|error| tracing::error!(%error, "cannot write a cable message"))
            .ok()
    })
}

impl Application for Channels {
    type Connection = Viewer;

    fn tags(&self, viewer: &Viewer) -> Vec<String> {
        vec![viewer.tag.clone()]
    }

    async fn subscribe(
        &self,
        viewer: &Viewer,
        identifier: &Identifier,
    ) -> Result<Vec<String>, Rejected> {
        let limits = &self.state.settings.limits;
        if !self.attempts.allow(viewer.ip, limits, self.state.now()) {
            tracing::debug!("too many subscriptions from one address");
            return Err(Rejected);
        }
        match self.watch(viewer, identifier).await {
            Ok(streams) => Ok(streams),
            Err(Failure::Rejected) => Err(Rejected),
            Err(Failure::Unavailable) => self.hang_up(viewer).await,
        }
    }

    async fn confirmed(&self, viewer: &Viewer, identifier: &Identifier) -> Vec<Message> {
        let channel = identifier.channel().unwrap_or_default();
        let mut messages = vec![Message::from(
            json!({ "type": "subscription_confirmed", "channel": channel }),
        )];
        match self.existing(viewer, identifier).await {
            Ok(existing) => messages.extend(existing),
            // Gone since it was granted: there is nothing to tell.
            Err(Failure::Rejected) => {}
            Err(Failure::Unavailable) => self.hang_up(viewer).await,
        }
        messages
    }
}
