//! What a session does on the commands of its client.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use futures_util::{Sink, Stream};

use super::socket::{NORMAL, TOO_BIG};
use super::{End, Incoming, Outgoing, Session};
use crate::application::Application;
use crate::frame::{self, Command, HistoryRequest, Protocol};
use crate::hub::Address;
use crate::identifier::Identifier;
use crate::message::Message;
use crate::options::Disconnect;
use crate::task::{self, Outcome};

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
        if text.len() > self.inner.options.max_frame_bytes {
            return Err(self.too_large());
        }
        match Command::decode(&text) {
            Ok(command) => self.on_command(command).await,
            Err(malformed) => {
                self.inner.counters.malformed.fetch_add(1, Relaxed);
                tracing::debug!(%malformed, "ignored a frame");
                Ok(())
            }
        }
    }

    /// The same client would send it again: it is not to come back.
    pub(super) fn too_large(&self) -> End {
        self.inner.counters.oversized.fetch_add(1, Relaxed);
        End::Closing(Disconnect::invalid_request(), TOO_BIG)
    }

    async fn on_command(&mut self, command: Command) -> Result<(), End> {
        self.check()?;
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
                    let task = task::perform(app, connection, identifier, data, number);
                    self.task = Some(task);
                }
            }
            Command::History {
                identifier,
                history,
            } if extended => {
                if !self.within_rate() {
                    return self.miss_history(&identifier).await;
                }
                self.catch_up(&identifier, history);
            }
            Command::Pong if extended => self.unanswered = Some(0),
            Command::History { .. } | Command::Pong => {
                self.inner.counters.malformed.fetch_add(1, Relaxed);
            }
        }
        Ok(())
    }

    pub(super) fn find(&self, identifier: &Identifier) -> Option<usize> {
        self.subscriptions
            .iter()
            .position(|s| s.identifier() == identifier)
    }

    /// A second subscription with the same identifier is confirmed again, but only to a client that
    /// has the confirmation before. To others it is on its way: clients repeat themselves when it
    /// is late, and `@anycable/core` unsubscribes when it comes twice.
    async fn subscribe(
        &mut self,
        identifier: Identifier,
        history: Option<HistoryRequest>,
    ) -> Result<(), End> {
        if let Some(at) = self.find(&identifier) {
            return self.confirm_again(at, history).await;
        }
        let full = self.subscriptions.len() >= self.inner.options.max_subscriptions;
        if full {
            return self
                .reject(&identifier, Some("too_many_subscriptions"))
                .await;
        }
        if !self.within_rate() {
            return Err(End::Closing(Disconnect::rate_limited(), NORMAL));
        }
        let number = self.pending.end;
        self.pending = number..number + 1;
        let address = Address {
            mailbox: Arc::clone(&self.mailbox),
            subscription: number,
            identifier,
            protocol: self.protocol,
        };
        let (app, connection) = (Arc::clone(&self.app), Arc::clone(&self.connection));
        let cable = Arc::clone(&self.inner);
        self.task = Some(task::subscribe(app, connection, cable, address, history));
        Ok(())
    }

    /// Whether the client does not ask too often.
    fn within_rate(&mut self) -> bool {
        let options = &self.inner.options;
        let may = self.rate.allows(options.ask_burst, options.ask_every);
        if !may {
            self.inner.counters.limited.fetch_add(1, Relaxed);
        }
        may
    }

    async fn miss_history(&mut self, identifier: &Identifier) -> Result<(), End> {
        self.inner.counters.history_misses.fetch_add(1, Relaxed);
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
        self.task = Some(task::unsubscribe(app, connection, identifier));
    }

    async fn reject(
        &mut self,
        identifier: &Identifier,
        reason: Option<&'static str>,
    ) -> Result<(), End> {
        self.inner.counters.rejected.fetch_add(1, Relaxed);
        self.write([frame::reject_subscription(identifier, reason)])
            .await
    }

    pub(super) async fn on_outcome(&mut self, outcome: Outcome) -> Result<(), End> {
        match outcome {
            Outcome::Subscribed(granted) => self.confirm(*granted).await,
            Outcome::Rejected(identifier) => {
                self.none_pending();
                self.reject(&identifier, None).await
            }
            Outcome::Disconnected(disconnect) => Err(End::Closing(disconnect, NORMAL)),
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

    /// No subscription is in the pending any more.
    pub(super) fn none_pending(&mut self) {
        self.pending.start = self.pending.end;
    }

    async fn transmit(&mut self, number: u32, replies: Vec<Message>) -> Result<(), End> {
        let found = self.subscriptions.iter_mut().find(|s| s.number() == number);
        let Some(subscription) = found else {
            return Ok(());
        };
        let mut frames = Vec::with_capacity(replies.len());
        for reply in replies {
            if subscription.accepts_key(reply.key.as_ref()) {
                frames.push(frame::transmission(
                    subscription.identifier(),
                    &reply.payload,
                ));
            }
        }
        self.write(frames).await
    }
}
