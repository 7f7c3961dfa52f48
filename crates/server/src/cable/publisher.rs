//! Publishes what happens to all who follow it: pages and phones over the cable, sites' backends
//! over Redis.

use std::sync::{Arc, Weak};

use ::cable::Cable;
use sea_orm::DbErr;
use uuid::Uuid;

use super::{
    backend::Backends,
    channels::{self, inbox},
    outbox::Outbox,
};
use crate::{
    platform::{
        events::{Event, EventSite},
        state::{Shared, State},
    },
    sign_on::{self, Undelivered},
};

/// Listens to events and passes them on.
pub struct Publisher {
    state: Weak<State>,
    cable: Cable,
    outbox: Arc<Outbox>,
    backends: Option<Arc<Backends>>,
}

impl Publisher {
    /// Passes on what happens from now on.
    #[must_use]
    pub fn start(state: &Shared, cable: &Cable) -> Arc<Self> {
        let publisher = Arc::new(Self {
            state: Arc::downgrade(state),
            cable: cable.clone(),
            outbox: Outbox::open(state, cable),
            backends: Backends::open(state),
        });
        let listener = Arc::clone(&publisher);
        state.events.listen(move |event| listener.publish(event));
        publisher
    }

    fn publish(&self, event: &Event) {
        for (stream, message) in channels::messages(event) {
            match (message, event) {
                (Err(error), _) => tracing::error!(%error, "cannot write a cable message"),
                // Of the messages of a verdict, its page's is the one that must arrive.
                (Ok(message), Event::Decided { sign_on_id, .. })
                    if channels::is_verdict(&message) =>
                {
                    self.outbox.publish(*sign_on_id, &stream, message);
                }
                (Ok(message), _) => self.cable.broadcast(&stream, message),
            }
        }
        if let Event::Asked { at, sign_on_id, .. } = event {
            self.show(at.clone(), *sign_on_id);
        }
        if let Some(backends) = &self.backends {
            backends.publish(event);
        }
    }

    /// Puts a sign-on that was asked for into the inboxes of phones that are connected.
    fn show(&self, at: EventSite, sign_on_id: Uuid) {
        let (state, cable) = (self.state.clone(), self.cable.clone());
        tokio::spawn(async move {
            let Some(state) = state.upgrade() else { return };
            match sign_on::inbox_entry(&state, at.site_id, sign_on_id).await {
                Ok(Some((waiting, phones))) => match inbox::pending(&waiting) {
                    Ok(message) => {
                        for phone in phones {
                            let inbox = inbox::stream(&at.channel_prefix, phone.id);
                            cable.broadcast(&inbox, message.clone());
                        }
                    }
                    Err(error) => tracing::error!(%error, "cannot write a cable message"),
                },
                Ok(None) => {}
                // The phone also asks for itself.
                Err(error) => tracing::warn!(%error, "a phone could not be told"),
            }
        });
    }

    /// Publishes verdicts that are not known to have been published.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(&self) -> Result<(), DbErr> {
        for verdict in self.outbox.undelivered().await? {
            tracing::warn!(sign_on_id = %verdict.sign_on_id, "a verdict seems not to have been published; publishing it");
            self.publish_again(&verdict);
        }
        Ok(())
    }

    /// Makes sites' users in Redis those of the database, and if Redis has started anew, publishes
    /// the verdicts that it may have lost. Without Redis nothing is done.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reconcile_redis(&self) -> Result<(), DbErr> {
        let Some(backends) = &self.backends else {
            return Ok(());
        };
        if backends.reconcile_users().await? {
            let doubtful = self.outbox.doubtful().await?;
            tracing::warn!(
                verdicts = doubtful.len(),
                "Redis has started anew; publishing the latest verdicts again"
            );
            for verdict in &doubtful {
                self.publish_again(verdict);
            }
        }
        Ok(())
    }

    fn publish_again(&self, verdict: &Undelivered) {
        match &verdict.event {
            Some(event) => self.publish(event),
            None => self.outbox.skip(verdict.sign_on_id),
        }
    }
}
