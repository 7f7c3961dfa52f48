//! Tells what happens to all who follow it: pages and phones over the cable, sites' backends over
//! Redis.

use std::sync::{Arc, Weak};

use ::cable::Cable;
use sea_orm::DbErr;
use uuid::Uuid;

use super::{feed::Feed, messages, outbox::Outbox, streams};
use crate::{
    platform::{
        events::{Event, Place},
        state::{Shared, State},
    },
    sign_on::{self, Untold},
};

/// Listens to events and passes them on.
pub struct Herald {
    state: Weak<State>,
    cable: Cable,
    outbox: Arc<Outbox>,
    feed: Option<Arc<Feed>>,
}

impl Herald {
    /// Passes on what happens from now on.
    #[must_use]
    pub fn appoint(state: &Shared, cable: &Cable) -> Arc<Self> {
        let herald = Arc::new(Self {
            state: Arc::downgrade(state),
            cable: cable.clone(),
            outbox: Outbox::open(state, cable),
            feed: Feed::open(state),
        });
        let listener = Arc::clone(&herald);
        state.events.listen(move |event| listener.tell(event));
        herald
    }

    fn tell(&self, event: &Event) {
        match messages::for_page(event) {
            Some((stream, Ok(message))) => match event {
                Event::Decided { sign_on_id, .. } => {
                    self.outbox.tell(*sign_on_id, &stream, message);
                }
                _ => self.cable.broadcast(&stream, message),
            },
            Some((_, Err(error))) => tracing::error!(%error, "cannot write a cable message"),
            None => {}
        }
        match event {
            Event::Asked {
                at,
                client_id,
                sign_on_id,
            } => self.show(at.clone(), *client_id, *sign_on_id),
            Event::Decided {
                at,
                client_id,
                sign_on_id,
                ..
            } => {
                let inbox = streams::inbox(&at.channel_prefix, *client_id);
                self.cable.broadcast(&inbox, messages::closed(*sign_on_id));
            }
            _ => {}
        }
        if let Some(feed) = &self.feed {
            feed.tell(event);
        }
    }

    /// Puts a sign-on that was asked for into the inboxes of phones that are connected.
    fn show(&self, at: Place, client_id: Uuid, sign_on_id: Uuid) {
        let (state, cable) = (self.state.clone(), self.cable.clone());
        tokio::spawn(async move {
            let Some(state) = state.upgrade() else { return };
            let inbox = streams::inbox(&at.channel_prefix, client_id);
            match sign_on::waiting(&state, at.site_id, sign_on_id).await {
                Ok(Some(waiting)) => match messages::waiting(&waiting) {
                    Ok(message) => cable.broadcast(&inbox, message),
                    Err(error) => tracing::error!(%error, "cannot write a cable message"),
                },
                Ok(None) => {}
                // The phone also asks for itself.
                Err(error) => tracing::warn!(%error, "a phone could not be told"),
            }
        });
    }

    /// Tells verdicts again that are not known to have been told.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(&self) -> Result<(), DbErr> {
        for untold in self.outbox.untold().await? {
            tracing::warn!(sign_on_id = %untold.sign_on_id, "nobody seems to have told a verdict; telling it");
            self.again(&untold);
        }
        Ok(())
    }

    /// Looks after Redis: sites' users in it are as in the database, and if it has started anew,
    /// verdicts that it may have lost are told again. Without Redis nothing is done.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tend_redis(&self) -> Result<(), DbErr> {
        let Some(feed) = &self.feed else {
            return Ok(());
        };
        if feed.tend().await? {
            let doubtful = self.outbox.doubtful().await?;
            tracing::warn!(
                verdicts = doubtful.len(),
                "Redis has started anew; telling again"
            );
            for told in &doubtful {
                self.again(told);
            }
        }
        Ok(())
    }

    fn again(&self, untold: &Untold) {
        match &untold.event {
            Some(event) => self.tell(event),
            None => self.outbox.skip(untold.sign_on_id),
        }
    }
}
