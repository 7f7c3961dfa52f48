//! How a subscription begins, and how one that was away catches up: what already exists, what was
//! missed, what came meanwhile, each once and in order.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use futures_util::{Sink, Stream};

use super::{End, Incoming, Outgoing, Refresh, Session};
use crate::application::Application;
use crate::frame::{self, HistoryRequest, Protocol};
use crate::identifier::Identifier;
use crate::lookup::Existing;
use crate::mailbox::Item;
use crate::message::Message;
use crate::resume::SavedSession;
use crate::subscription::Subscription;
use crate::task::{self, CatchUp, Granted};

impl<A, S, E> Session<A, S>
where
    A: Application,
    S: Stream<Item = Result<Incoming, E>> + Sink<Outgoing, Error = E> + Send + Unpin,
    E: Send,
{
    /// Confirms a subscription. In this order: the confirmation, what already exists, the history
    /// that was asked for, and what has come meanwhile.
    pub(super) async fn confirm(&mut self, granted: Granted) -> Result<(), End> {
        let counters = Arc::clone(&self.inner.counters);
        let subscription = Subscription::new(granted.attachment, granted.positions, counters);
        let number = subscription.number();
        let confirmation = frame::reply("confirm_subscription", subscription.identifier());
        self.subscriptions.push(subscription);
        self.bring_up(number, granted.catch_up, vec![confirmation])
            .await
    }

    /// A `subscribe` for a subscription that there is.
    pub(super) async fn confirm_again(
        &mut self,
        at: usize,
        history: Option<HistoryRequest>,
    ) -> Result<(), End> {
        let subscription = &mut self.subscriptions[at];
        if !subscription.confirms_again() {
            return Ok(());
        }
        self.receipts = self.receipts.wrapping_add(1);
        subscription.await_confirmation(self.receipts);
        let waits = subscription.is_behind();
        let identifier = subscription.identifier().clone();
        let confirmation = frame::reply("confirm_subscription", &identifier);
        self.write([Outgoing::Text(confirmation), Outgoing::Ping(self.receipts)])
            .await?;
        if waits {
            self.catch_up(&identifier, Some(history.unwrap_or_default()));
        }
        Ok(())
    }

    /// Looks for the session that the client wants to resume.
    pub(super) fn resume(&mut self, sid: Option<String>) {
        if let Some(sid) = sid.filter(|sid| !sid.is_empty()) {
            let limit = u32::try_from(self.inner.options.max_subscriptions).unwrap_or(u32::MAX);
            self.pending = 0..limit;
            let (app, connection) = (Arc::clone(&self.app), Arc::clone(&self.connection));
            let (cable, mailbox) = (Arc::clone(&self.inner), Arc::clone(&self.mailbox));
            self.task = Some(task::resume(app, connection, cable, mailbox, limit, sid));
        }
    }

    /// Welcomes a client with the subscriptions it had. They wait until it says how far it was.
    pub(super) async fn resumed(&mut self, granted: Vec<Granted>) -> Result<(), End> {
        self.none_pending();
        let mut identifiers = Vec::with_capacity(granted.len());
        for granted in granted {
            let Granted {
                attachment,
                positions,
                receipt,
                ..
            } = granted;
            identifiers.push(attachment.identifier().clone());
            let counters = Arc::clone(&self.inner.counters);
            let subscription = Subscription::new(attachment, positions, counters);
            self.subscriptions.push(subscription.resumed(receipt));
        }
        if identifiers.is_empty() {
            self.inner.counters.not_resumed.fetch_add(1, Relaxed);
        } else {
            self.inner.counters.resumed.fetch_add(1, Relaxed);
            self.save();
        }
        self.welcome(identifiers).await
    }

    /// Answers the `history` command: what the client missed since the position it names.
    pub(super) fn catch_up(&mut self, identifier: &Identifier, request: Option<HistoryRequest>) {
        let Some(at) = self.find(identifier) else {
            return;
        };
        let (app, connection) = (Arc::clone(&self.app), Arc::clone(&self.connection));
        let subscription = &mut self.subscriptions[at];
        let query = subscription.start_catching_up(request);
        let number = subscription.number();
        let identifier = subscription.identifier().clone();
        let cable = Arc::clone(&self.inner);
        self.task = Some(task::catch_up(
            app, connection, cable, identifier, query, number,
        ));
    }

    /// Starts to tell the next subscription what exists, if one is to be told.
    pub(super) fn refresh_next(&mut self) {
        match self.refresh {
            Refresh::None => return,
            Refresh::These(_) => {}
            Refresh::All => {
                // Where sessions were kept, this one may have been lost as well.
                self.save();
                // Those that are behind are told when they catch up.
                let live = self.subscriptions.iter().filter(|s| !s.is_behind());
                self.refresh = Refresh::These(live.map(Subscription::number).collect());
            }
        }
        let Refresh::These(numbers) = &mut self.refresh else {
            return;
        };
        let next = std::iter::from_fn(|| numbers.pop())
            .find_map(|number| self.subscriptions.iter().find(|s| s.number() == number));
        let Some(subscription) = next else {
            self.refresh = Refresh::None;
            return;
        };
        let (app, connection) = (Arc::clone(&self.app), Arc::clone(&self.connection));
        let cable = Arc::clone(&self.inner);
        let streams = match self.protocol {
            Protocol::V1ExtJson => subscription.streams().to_vec(),
            Protocol::V1Json => Vec::new(),
        };
        let (identifier, number) = (subscription.identifier().clone(), subscription.number());
        self.task = Some(task::refresh(
            app, connection, cable, identifier, streams, number,
        ));
    }

    pub(super) async fn caught_up(&mut self, number: u32, catch_up: CatchUp) -> Result<(), End> {
        self.bring_up(number, catch_up, Vec::new()).await
    }

    /// Makes a subscription live: sends it what is before, and then what was held for it.
    async fn bring_up(
        &mut self,
        number: u32,
        catch_up: CatchUp,
        mut frames: Vec<Bytes>,
    ) -> Result<(), End> {
        // What the hub has delivered by now is known before the order is decided.
        if let Some(mail) = self.mailbox.take() {
            self.on_mail(mail).await?;
        }
        self.none_pending();
        let held = self.take_held(number);
        let found = self.subscriptions.iter_mut().find(|s| s.number() == number);
        let Some(subscription) = found else {
            return Ok(());
        };
        subscription.mark_live();
        let confirms = !frames.is_empty();
        // State has no position by which the client could say that it has it.
        let state = arrange(subscription, catch_up, held, &mut frames) && self.sid.is_some();
        if confirms || state {
            self.receipts = self.receipts.wrapping_add(1);
        }
        if confirms {
            subscription.await_confirmation(self.receipts);
        }
        if state {
            subscription.await_receipt(self.receipts);
        }
        self.save();
        self.write(frames).await?;
        // The answer to a ping of the transport says that the client has what was sent before it.
        if confirms || state {
            self.write([Outgoing::Ping(self.receipts)]).await?;
        }
        Ok(())
    }

    pub(super) fn received_up_to(&mut self, receipt: u32) {
        let mut news = false;
        for subscription in &mut self.subscriptions {
            news |= subscription.receive(receipt);
        }
        if news {
            self.save();
        }
    }

    /// Resumed subscriptions whose client does not ask for history go on without.
    pub(super) fn stop_waiting(&mut self, frames: &mut Vec<Bytes>) {
        if self.held.is_empty() && !self.subscriptions.iter().any(Subscription::is_behind) {
            return;
        }
        let waited: Vec<u32> = self
            .subscriptions
            .iter_mut()
            .filter_map(|subscription| subscription.wait_is_over().then(|| subscription.number()))
            .collect();
        for number in waited {
            let held = self.take_held(number);
            if let Some(subscription) = self.subscriptions.iter_mut().find(|s| s.number() == number)
            {
                deliver(subscription, held, frames);
            }
        }
    }

    fn take_held(&mut self, number: u32) -> Vec<Item> {
        let (mine, others) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(|item| item.subscription == number);
        self.held = others;
        mine
    }

    /// Keeps what is needed to resume this session elsewhere.
    pub(super) fn save(&self) {
        if let Some(sid) = &self.sid {
            let subscriptions = self.subscriptions.iter().map(Subscription::save).collect();
            self.inner
                .fanout
                .save_session(sid, SavedSession { subscriptions });
        }
    }
}

/// What exists, what was missed, what came meanwhile. A message that is known in several of these
/// ways is sent in its last place, for there it has its order and its position. Returns whether
/// there was anything of the first kind.
fn arrange(
    subscription: &mut Subscription,
    catch_up: CatchUp,
    held: Vec<Item>,
    frames: &mut Vec<Bytes>,
) -> bool {
    let CatchUp {
        existing,
        backlog,
        reached,
        passed,
        again,
    } = catch_up;
    let missed = backlog.as_ref().and_then(|backlog| backlog.as_ref().ok());
    let comes_later = |message: &Message| {
        let same = |key: Option<&Arc<str>>| key.is_some() && key == message.key.as_ref();
        missed.is_some_and(|missed| {
            missed
                .iter()
                .any(|published| same(published.message.key.as_ref()))
        }) || held.iter().any(|item| same(item.note.key.as_ref()))
    };
    let identifier = subscription.identifier().clone();
    let mut state = Vec::new();
    for Existing { message, position } in &existing {
        if !comes_later(message) && subscription.accepts_key(message.key.as_ref()) {
            state.push(match position {
                Some((stream, position)) => {
                    frame::positioned(&identifier, &message.payload, stream, position)
                }
                None => frame::transmission(&identifier, &message.payload),
            });
        }
    }
    let has_state = !state.is_empty();
    match backlog {
        None => frames.append(&mut state),
        Some(Ok(missed)) => {
            frames.append(&mut state);
            for (stream, position) in &reached {
                subscription.advance_to(stream, position);
            }
            for published in missed {
                if subscription.accepts_replay(&published) || again {
                    frames.push(frame::message(
                        subscription.protocol(),
                        &identifier,
                        &published,
                    ));
                }
            }
            frames.push(frame::reply("confirm_history", &identifier));
        }
        Some(Err(_)) => {
            subscription.count_history_miss();
            frames.push(frame::reply("reject_history", &identifier));
            frames.append(&mut state);
        }
    }
    // Last, for one that asks for it out of the blue gets also what it has passed.
    for key in &passed {
        subscription.accepts_key(Some(key));
    }
    deliver(subscription, held, frames);
    has_state
}

fn deliver(subscription: &mut Subscription, held: Vec<Item>, frames: &mut Vec<Bytes>) {
    for item in held {
        if subscription.accepts(&item.note) {
            subscription.count_delivered();
            frames.push(item.frame);
        }
    }
}
