//! What a session does on the commands of its client.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use futures_util::{Sink, Stream};

use super::socket::TOO_BIG;
use super::{End, Incoming, Outgoing, Session};
use crate::channel::Application;
use crate::errand::{self, Outcome};
use crate::frame::{self, Command, HistoryRequest, Protocol};
use crate::hub::Address;
use crate::identifier::Identifier;
use crate::message::Message;
use crate::options::Disconnect;

impl<A, S, E> Session<A, S>
where
    A: Application,
    S: Stream<Item = Result<Incoming, E>> + Sink<Outgoing, Error = E> + Send + Unpin,
    E: Send,
{
    pub(super) async fn on_frame(&mut self, frame: Incoming) -> Result<(), End> {
        let Incoming::Text(text) = frame else {
            return Ok(());
        };
        if text.len() > self.cable.options.max_frame_bytes {
            self.cable.counters.oversized.fetch_add(1, Relaxed);
            return Err(End::Closing(Disconnect::invalid_request(), TOO_BIG));
        }
        match Command::decode(&text) {
            Ok(command) => self.on_command(command).await,
            Err(malformed) => {
                self.cable.counters.malformed.fetch_add(1, Relaxed);
                tracing::debug!(%malformed, "ignored a frame");
                Ok(())
            }
        }
    }

    async fn on_command(&mut self, command: Command) -> Result<(), End> {
        let extended = self.protocol == Protocol::V1ExtJson;
        match command {
            Command::Subscribe {
                identifier,
                history,
            } => {
                return self
                    .subscribe(identifier, history.filter(|_| extended))
                    .await;
            }
            Command::Unsubscribe { identifier } => self.unsubscribe(identifier),
            Command::Message { identifier, data } => {
                if let Some(at) = self.find(&identifier) {
                    let number = self.subscriptions[at].number();
                    let (app, connection) = (Arc::clone(&self.app), Arc::clone(&self.connection));
                    let errand = errand::perform(app, connection, identifier, data, number);
                    self.errand = Some(errand);
                }
            }
            Command::History {
                identifier,
                history,
            } if extended => {
                if !self.may_ask() {
                    return self.miss_history(&identifier).await;
                }
                self.catch_up(&identifier, history);
            }
            Command::Pong if extended => self.unanswered = Some(0),
            Command::History { .. } | Command::Pong => {
                self.cable.counters.malformed.fetch_add(1, Relaxed);
            }
        }
        Ok(())
    }

    pub(super) fn find(&self, identifier: &Identifier) -> Option<usize> {
        self.subscriptions
            .iter()
            .position(|s| s.identifier() == identifier)
    }

    /// A second subscription with the same identifier is ignored quietly, as in Rails: clients
    /// repeat themselves when a confirmation is late. Only if the subscription was resumed, the
    /// client may never have heard the confirmation and hears it now, once: more often, and
    /// `@anycable/core` would unsubscribe.
    async fn subscribe(
        &mut self,
        identifier: Identifier,
        history: Option<HistoryRequest>,
    ) -> Result<(), End> {
        if let Some(at) = self.find(&identifier) {
            return self.confirm_again(at, history).await;
        }
        let full = self.subscriptions.len() >= self.cable.options.max_subscriptions;
        if full || !self.may_ask() {
            return self.reject(&identifier).await;
        }
        let number = self.making.end;
        self.making = number..number + 1;
        let address = Address {
            mailbox: Arc::clone(&self.mailbox),
            subscription: number,
            identifier,
            protocol: self.protocol,
        };
        let (app, connection) = (Arc::clone(&self.app), Arc::clone(&self.connection));
        let cable = Arc::clone(&self.cable);
        self.errand = Some(errand::subscribe(app, connection, cable, address, history));
        Ok(())
    }

    /// Whether the client does not ask too often.
    fn may_ask(&mut self) -> bool {
        let options = &self.cable.options;
        let may = self.pace.allows(options.ask_burst, options.ask_every);
        if !may {
            self.cable.counters.limited.fetch_add(1, Relaxed);
        }
        may
    }

    async fn miss_history(&mut self, identifier: &Identifier) -> Result<(), End> {
        self.cable.counters.history_misses.fetch_add(1, Relaxed);
        self.write([frame::reply("reject_history", identifier)])
            .await
    }

    fn unsubscribe(&mut self, identifier: Identifier) {
        let Some(at) = self.find(&identifier) else {
            return;
        };
        let ended = self.subscriptions.swap_remove(at);
        self.held.retain(|item| item.subscription != ended.number());
        drop(ended);
        self.save();
        let (app, connection) = (Arc::clone(&self.app), Arc::clone(&self.connection));
        self.errand = Some(errand::unsubscribe(app, connection, identifier));
    }

    async fn reject(&mut self, identifier: &Identifier) -> Result<(), End> {
        self.cable.counters.rejected.fetch_add(1, Relaxed);
        self.write([frame::reply("reject_subscription", identifier)])
            .await
    }

    pub(super) async fn on_outcome(&mut self, outcome: Outcome) -> Result<(), End> {
        match outcome {
            Outcome::Subscribed(granted) => self.confirm(*granted).await,
            Outcome::Rejected(identifier) => {
                self.made();
                self.reject(&identifier).await
            }
            Outcome::Resumed(granted) => self.resumed(granted).await,
            Outcome::CaughtUp {
                subscription,
                catch_up,
            } => self.caught_up(subscription, *catch_up).await,
            Outcome::Performed {
                subscription,
                replies,
            } => self.transmit(subscription, replies).await,
            Outcome::Unsubscribed => Ok(()),
        }
    }

    /// No subscription is in the making any more.
    pub(super) fn made(&mut self) {
        self.making.start = self.making.end;
    }

    async fn transmit(&mut self, number: u32, replies: Vec<Message>) -> Result<(), End> {
        let found = self.subscriptions.iter_mut().find(|s| s.number() == number);
        let Some(subscription) = found else {
            return Ok(());
        };
        let mut frames = Vec::with_capacity(replies.len());
        for reply in replies {
            if subscription.takes_key(reply.key.as_ref()) {
                frames.push(frame::transmission(
                    subscription.identifier(),
                    &reply.payload,
                ));
            }
        }
        self.write(frames).await
    }
}
