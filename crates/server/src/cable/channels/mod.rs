//! The channels: who may follow what, what exists already, and what is published.

mod device;
pub(super) mod inbox;
mod login;

pub(super) use login::is_verdict;

use std::{
    fmt::Display,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ::cable::{Application, Denied, Disconnect, Identifier, Message};
use futures_util::future::BoxFuture;
use serde_json::json;
use uuid::Uuid;

use super::{Attempts, connected::Held};
use crate::{
    client::ClientError,
    device::Device,
    http::token::{self, TokenError},
    platform::{
        clock::Moment,
        events::Event,
        network::Network,
        shares::{Holder, Share},
        state::{Shared, State},
    },
    sign_on::SignOnError,
    site::Site,
};

/// Every channel. Whoever adds one adds its file and its line here.
static CHANNELS: [Channel; 3] = [login::CHANNEL, device::CHANNEL, inbox::CHANNEL];

/// What a channel's file says.
struct Channel {
    /// As pages write it.
    name: &'static str,
    /// The streams that a subscription follows, if it may.
    streams: fn(Asked<'_>) -> BoxFuture<'_, Result<Granted, ChannelError>>,
    /// What there is to tell a new subscriber.
    existing: fn(Asked<'_>) -> BoxFuture<'_, Result<Vec<Message>, ChannelError>>,
    /// An event as a message to one of its streams, if it is for this channel.
    message: fn(&Event) -> Option<Published>,
}

/// What a subscription follows.
struct Granted {
    /// The site whose it is.
    site_id: Uuid,
    streams: Vec<String>,
}

/// A stream and the message to it.
pub(super) type Published = (String, Result<Message, serde_json::Error>);

/// One subscription of one connection.
#[derive(Clone, Copy)]
struct Asked<'a> {
    state: &'a State,
    viewer: &'a Viewer,
    identifier: &'a Identifier,
}

/// An event as messages to pages' and phones' streams.
pub(super) fn messages(event: &Event) -> impl Iterator<Item = Published> {
    CHANNELS
        .iter()
        .filter_map(|channel| (channel.message)(event))
}

/// An event as sites' backends hear it too.
pub(super) fn for_backend(event: &Event) -> Option<Published> {
    (login::CHANNEL.message)(event).or_else(|| (device::CHANNEL.message)(event))
}

/// Whoever is connected, by the token of the connection.
pub struct Viewer {
    /// What the connection has proven.
    pub who: Who,
    /// Where the page comes from, if a browser says so.
    pub origin: Option<Box<str>>,
    /// The address it comes from, by which it is limited.
    pub ip: IpAddr,
    /// Its subscriptions' shares of what there is.
    pub held: Mutex<Vec<(Identifier, Share)>>,
}

/// What a connection can prove.
pub enum Who {
    /// A connection without a token: it may subscribe by what it knows.
    Anyone,
    /// It has a site's or a widget's token.
    Site(Box<SiteViewer>),
    /// It is this phone.
    Phone(Box<Device>, Arc<Held>),
}

/// Whoever shows a site's or a widget's token.
pub struct SiteViewer {
    /// The site that the token speaks for.
    pub site: Site,
    /// The token, which is checked again for every subscription.
    pub token: String,
    /// Until when it is valid.
    pub expires_at: Moment,
    /// Says when it was revoked.
    pub held: Arc<Held>,
}

impl Viewer {
    fn site(&self) -> Option<&Site> {
        match &self.who {
            Who::Site(viewer) => Some(&viewer.site),
            Who::Anyone | Who::Phone(..) => None,
        }
    }

    /// Whether what it has shown was revoked since.
    fn is_over(&self) -> bool {
        match &self.who {
            Who::Anyone => false,
            Who::Site(viewer) => viewer.held.is_over(),
            Who::Phone(_, held) => held.is_over(),
        }
    }

    /// Takes a share for a subscription, which is given back when it ends.
    fn hold(&self, state: &State, identifier: &Identifier, site: Uuid) -> Result<(), Disconnect> {
        if self.held().iter().any(|(one, _)| one == identifier) {
            return Ok(());
        }
        let mut holders = vec![Holder::Site(site)];
        let network = Network::from(self.ip);
        // What comes from this machine is a proxy that stands for everyone.
        if !network.is_loopback() {
            holders.push(Holder::Network(network));
        }
        let Some(share) = state.subscriptions.take(1, &holders) else {
            tracing::warn!(%site, "a site or a network has as many subscriptions as it may");
            return Err(Disconnect::rate_limited());
        };
        self.held().push((identifier.clone(), share));
        Ok(())
    }

    fn held(&self) -> MutexGuard<'_, Vec<(Identifier, Share)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn expires_at(&self) -> Option<Moment> {
        match &self.who {
            Who::Anyone => None,
            Who::Site(viewer) => Some(viewer.expires_at),
            Who::Phone(device, _) => Some(device.token_expires_at),
        }
    }
}

/// The application behind the cable.
pub struct Channels {
    pub(super) state: Shared,
    pub(super) attempts: Attempts,
}

/// Why there is no answer.
enum ChannelError {
    /// It is not theirs to follow.
    Rejected,
    /// It cannot be said now; whoever asks is to come again.
    Unavailable,
}

impl From<SignOnError> for ChannelError {
    fn from(error: SignOnError) -> Self {
        match error {
            SignOnError::Database(error) => unavailable(&error),
            SignOnError::Client(error) => error.into(),
            _ => Self::Rejected,
        }
    }
}

impl From<ClientError> for ChannelError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Database(error) => unavailable(&error),
            _ => Self::Rejected,
        }
    }
}

impl From<sea_orm::DbErr> for ChannelError {
    fn from(error: sea_orm::DbErr) -> Self {
        unavailable(&error)
    }
}

impl From<serde_json::Error> for ChannelError {
    fn from(error: serde_json::Error) -> Self {
        tracing::error!(%error, "cannot write a cable message");
        Self::Rejected
    }
}

fn unavailable(error: &dyn Display) -> ChannelError {
    tracing::warn!(%error, "a subscription cannot be looked up; its page is asked to come again");
    ChannelError::Unavailable
}

/// How a connection ends whose token is not accepted (any more).
pub(super) fn disconnect_for(error: &TokenError) -> Disconnect {
    match error {
        TokenError::Expired => Disconnect::token_expired(),
        TokenError::Database(error) => {
            tracing::warn!(%error, "a cable connection is asked to come again");
            Disconnect::unavailable()
        }
        error => {
            tracing::debug!(%error, "a cable connection was refused");
            Disconnect::unauthorized()
        }
    }
}

impl Channels {
    fn find<'a>(
        &'a self,
        viewer: &'a Viewer,
        identifier: &'a Identifier,
    ) -> Option<(&'static Channel, Asked<'a>)> {
        let name = identifier.channel()?;
        let channel = CHANNELS.iter().find(|channel| channel.name == name)?;
        let asked = Asked {
            state: &self.state,
            viewer,
            identifier,
        };
        Some((channel, asked))
    }

    /// Whether the token of the connection is still good: it may have been revoked since.
    async fn recheck(&self, viewer: &Viewer) -> Result<(), Disconnect> {
        let Who::Site(shown) = &viewer.who else {
            return Ok(());
        };
        match token::verify(&self.state, &shown.token).await {
            Ok(_) => Ok(()),
            Err(error) => Err(disconnect_for(&error)),
        }
    }
}

impl Application for Channels {
    type Connection = Viewer;

    fn check(&self, viewer: &Viewer) -> Result<(), Disconnect> {
        match viewer.expires_at() {
            Some(until) if until <= self.state.now() => Err(Disconnect::token_expired()),
            _ if viewer.is_over() => Err(Disconnect::unauthorized()),
            _ => Ok(()),
        }
    }

    async fn subscribe(
        &self,
        viewer: &Viewer,
        identifier: &Identifier,
    ) -> Result<Vec<String>, Denied> {
        let limits = &self.state.settings.limits;
        if !self.attempts.allow(viewer.ip, limits, self.state.now()) {
            tracing::debug!("too many subscriptions from one address");
            return Err(Disconnect::rate_limited().into());
        }
        self.recheck(viewer).await?;
        let (channel, asked) = self.find(viewer, identifier).ok_or(Denied::Subscription)?;
        match (channel.streams)(asked).await {
            Ok(granted) => {
                viewer.hold(&self.state, identifier, granted.site_id)?;
                Ok(granted.streams)
            }
            Err(ChannelError::Rejected) => Err(Denied::Subscription),
            Err(ChannelError::Unavailable) => Err(Disconnect::unavailable().into()),
        }
    }

    async fn confirmed(
        &self,
        viewer: &Viewer,
        identifier: &Identifier,
    ) -> Result<Vec<Message>, Disconnect> {
        let Some((channel, asked)) = self.find(viewer, identifier) else {
            return Ok(Vec::new());
        };
        let confirmed = json!({ "type": "subscription_confirmed", "channel": channel.name });
        let mut messages = vec![Message::from(confirmed)];
        match (channel.existing)(asked).await {
            Ok(existing) => messages.extend(existing),
            // Gone since it was granted: there is nothing to tell.
            Err(ChannelError::Rejected) => {}
            // A page that is confirmed without its verdict would wait for ever.
            Err(ChannelError::Unavailable) => return Err(Disconnect::unavailable()),
        }
        Ok(messages)
    }

    async fn unsubscribed(&self, viewer: &Viewer, identifier: &Identifier) {
        let mut held = viewer.held();
        if let Some(at) = held.iter().position(|(one, _)| one == identifier) {
            held.swap_remove(at);
        }
    }
}
