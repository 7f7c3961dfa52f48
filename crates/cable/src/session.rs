//! One connection: from welcome to farewell.

use std::borrow::Cow;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt};

use crate::cable::Inner;
use crate::channel::Application;
use crate::errand::{self, Errand, Outcome};
use crate::frame::{self, Command, Protocol};
use crate::hub::Address;
use crate::identifier::Identifier;
use crate::mailbox::{Item, Mail, Mailbox};
use crate::options::Disconnect;
use crate::subscription::Subscription;

/// WebSocket close codes (RFC 6455, section 7.4.1).
pub(crate) const NORMAL: u16 = 1000;
const TOO_BIG: u16 = 1009;

/// A frame from the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A text message, whole. What is not UTF-8 or not JSON is ignored.
    Text(Bytes),
    /// A binary message; no protocol spoken here has any, so they are ignored.
    Binary,
    /// The client closes.
    Close,
}

/// A frame to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// A text message; the bytes are UTF-8.
    Text(Bytes),
    /// The server closes.
    Close {
        /// A code of RFC 6455, section 7.4.1.
        code: u16,
        /// The reason, for people.
        reason: Cow<'static, str>,
    },
}

/// What is known of a connection when it opens.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Opening {
    /// The dialect it speaks.
    pub protocol: Protocol,
}

impl Opening {
    /// A connection that speaks this protocol.
    pub fn new(protocol: Protocol) -> Self {
        Self { protocol }
    }
}

/// Why a session ends.
enum End {
    /// The client closed, or the transport broke.
    Gone,
    /// The server hangs up.
    Closing(Disconnect, u16),
}

pub(crate) struct Session<A: Application, S> {
    cable: Arc<Inner>,
    app: Arc<A>,
    connection: Arc<A::Connection>,
    protocol: Protocol,
    socket: S,
    mailbox: Arc<Mailbox>,
    subscriptions: Vec<Subscription>,
    /// The number of the subscription that is being made, and what has come for it.
    subscribing: Option<u32>,
    held: Vec<Item>,
    numbers: u32,
    /// What the application is busy with for this connection.
    errand: Option<Errand>,
    /// The next frame, read while the application is busy.
    unread: Option<Incoming>,
}

enum Event<E> {
    Mail(Mail),
    Done(Outcome),
    Frame(Option<Result<Incoming, E>>),
}

impl<A, S, E> Session<A, S>
where
    A: Application,
    S: Stream<Item = Result<Incoming, E>> + Sink<Outgoing, Error = E> + Send + Unpin,
    E: Send,
{
    pub(crate) fn new(
        cable: Arc<Inner>,
        app: Arc<A>,
        connection: A::Connection,
        opening: Opening,
        socket: S,
    ) -> Self {
        Self {
            cable,
            app,
            connection: Arc::new(connection),
            protocol: opening.protocol,
            socket,
            mailbox: Arc::default(),
            subscriptions: Vec::new(),
            subscribing: None,
            held: Vec::new(),
            numbers: 0,
            errand: None,
            unread: None,
        }
    }

    pub(crate) async fn run(mut self) {
        let tags = self.app.tags(&self.connection);
        let registration = self.cable.registry.register(&self.mailbox, tags);
        if self.cable.is_draining() {
            self.mailbox.close(Disconnect::server_restart());
        }
        let end = self.drive().await;
        let patience = self.cable.options.close_timeout;
        match end {
            End::Closing(disconnect, code) => {
                farewell(&mut self.socket, &disconnect, code, patience).await;
            }
            End::Gone => drop(tokio::time::timeout(patience, self.socket.close()).await),
        }
        drop(registration);
        self.clean_up().await;
    }

    /// Lets the application finish what it is busy with, and tells it what has ended.
    async fn clean_up(self) {
        let Self {
            app,
            connection,
            subscriptions,
            errand,
            ..
        } = self;
        let mut ended: Vec<Identifier> = subscriptions
            .iter()
            .map(|subscription| subscription.identifier().clone())
            .collect();
        drop(subscriptions);
        if let Some(errand) = errand
            && let Outcome::Subscribed(granted) = errand.await
        {
            ended.push(granted.attachment.identifier().clone());
        }
        for identifier in &ended {
            // Boxed, so that the application's future is no part of every idle session.
            Box::pin(app.unsubscribed(&connection, identifier)).await;
        }
    }

    async fn drive(&mut self) -> End {
        if let Err(end) = self.write([frame::welcome()]).await {
            return end;
        }
        loop {
            let result = match self.next_event().await {
                Event::Mail(mail) => self.on_mail(mail).await,
                Event::Done(outcome) => self.on_outcome(outcome).await,
                Event::Frame(Some(Ok(Incoming::Close) | Err(_)) | None) => Err(End::Gone),
                Event::Frame(Some(Ok(frame))) => {
                    self.unread = Some(frame);
                    Ok(())
                }
            };
            if let Err(end) = result {
                return end;
            }
            if self.errand.is_none()
                && let Some(frame) = self.unread.take()
                && let Err(end) = self.on_frame(frame).await
            {
                return end;
            }
        }
    }

    async fn next_event(&mut self) -> Event<E> {
        let Self {
            mailbox,
            errand,
            socket,
            unread,
            ..
        } = self;
        tokio::select! {
            mail = poll_fn(|cx| mailbox.poll_mail(cx)) => Event::Mail(mail),
            outcome = poll_fn(|cx| errand::poll(errand, cx)) => Event::Done(outcome),
            frame = socket.next(), if unread.is_none() => Event::Frame(frame),
        }
    }

    async fn on_mail(&mut self, mail: Mail) -> Result<(), End> {
        if let Some(disconnect) = mail.closing {
            return Err(End::Closing(disconnect, NORMAL));
        }
        let mut frames = Vec::with_capacity(mail.items.len() + usize::from(mail.ping.is_some()));
        frames.extend(mail.ping);
        for item in mail.items {
            self.sort(item, &mut frames)?;
        }
        self.write(frames).await
    }

    /// A message from the hub goes out, is held for a subscription in the making, or is dropped
    /// because its subscription has ended or already had it.
    fn sort(&mut self, item: Item, frames: &mut Vec<Bytes>) -> Result<(), End> {
        if self.subscribing == Some(item.subscription) {
            if self.held.len() >= self.cable.options.queue_messages {
                self.cable.counters.slow_readers.fetch_add(1, Relaxed);
                return Err(End::Closing(Disconnect::slow_reader(), NORMAL));
            }
            self.held.push(item);
            return Ok(());
        }
        let found = self
            .subscriptions
            .iter_mut()
            .find(|s| s.number() == item.subscription);
        if let Some(subscription) = found
            && subscription.takes(&item)
        {
            self.cable.counters.delivered.fetch_add(1, Relaxed);
            frames.push(item.frame);
        }
        Ok(())
    }

    async fn on_frame(&mut self, frame: Incoming) -> Result<(), End> {
        let Incoming::Text(text) = frame else {
            return Ok(());
        };
        if text.len() > self.cable.options.max_frame_bytes {
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
        let app = Arc::clone(&self.app);
        let connection = Arc::clone(&self.connection);
        match command {
            Command::Subscribe { identifier, .. } => return self.subscribe(identifier).await,
            Command::Unsubscribe { identifier } => {
                if let Some(at) = self.find(&identifier) {
                    drop(self.subscriptions.swap_remove(at));
                    self.errand = Some(errand::unsubscribe(app, connection, identifier));
                }
            }
            Command::Message { identifier, data } => {
                if let Some(at) = self.find(&identifier) {
                    let number = self.subscriptions[at].number();
                    let errand = errand::perform(app, connection, identifier, data, number);
                    self.errand = Some(errand);
                }
            }
            Command::History { .. } | Command::Pong => {}
        }
        Ok(())
    }

    fn find(&self, identifier: &Identifier) -> Option<usize> {
        self.subscriptions
            .iter()
            .position(|s| s.identifier() == identifier)
    }

    /// A second subscription with the same identifier is ignored quietly, as in Rails: clients
    /// repeat themselves when a confirmation is late.
    async fn subscribe(&mut self, identifier: Identifier) -> Result<(), End> {
        if self.find(&identifier).is_some() {
            return Ok(());
        }
        if self.subscriptions.len() >= self.cable.options.max_subscriptions {
            return self.reject(&identifier).await;
        }
        self.numbers = self.numbers.wrapping_add(1);
        self.subscribing = Some(self.numbers);
        let address = Address {
            mailbox: Arc::clone(&self.mailbox),
            subscription: self.numbers,
            identifier,
            protocol: self.protocol,
        };
        let (app, connection) = (Arc::clone(&self.app), Arc::clone(&self.connection));
        self.errand = Some(errand::subscribe(
            app,
            connection,
            Arc::clone(&self.cable),
            address,
        ));
        Ok(())
    }

    async fn reject(&mut self, identifier: &Identifier) -> Result<(), End> {
        self.cable.counters.rejected.fetch_add(1, Relaxed);
        self.write([frame::reply("reject_subscription", identifier)])
            .await
    }

    async fn on_outcome(&mut self, outcome: Outcome) -> Result<(), End> {
        match outcome {
            Outcome::Subscribed(granted) => self.confirm(*granted).await,
            Outcome::Rejected(identifier) => {
                self.subscribing = None;
                self.reject(&identifier).await
            }
            Outcome::Performed {
                subscription,
                replies,
            } => {
                let found = self
                    .subscriptions
                    .iter_mut()
                    .find(|s| s.number() == subscription);
                let Some(subscription) = found else {
                    return Ok(());
                };
                let mut frames = Vec::with_capacity(replies.len());
                for reply in replies {
                    if subscription.takes_message(&reply) {
                        let identifier = subscription.identifier();
                        frames.push(frame::transmission(identifier, &reply.payload));
                    }
                }
                self.write(frames).await
            }
            Outcome::Unsubscribed => Ok(()),
        }
    }

    /// The confirmation, what already exists, and what has come meanwhile, in this order. A
    /// message that is both among the existing and the later ones is sent in its later place.
    async fn confirm(&mut self, granted: errand::Granted) -> Result<(), End> {
        let counters = Arc::clone(&self.cable.counters);
        self.subscriptions
            .push(Subscription::new(granted.attachment, counters));
        // What the hub has delivered by now is known before the order is decided.
        if let Some(mail) = self.mailbox.take() {
            self.on_mail(mail).await?;
        }
        self.subscribing = None;
        let held = std::mem::take(&mut self.held);
        let Some(subscription) = self.subscriptions.last_mut() else {
            return Ok(());
        };
        let identifier = subscription.identifier().clone();
        let mut frames = vec![frame::reply("confirm_subscription", &identifier)];
        for message in granted.existing {
            let comes_later = message.key.is_some()
                && held
                    .iter()
                    .any(|item| item.published.message.key == message.key);
            if !comes_later && subscription.takes_message(&message) {
                frames.push(frame::transmission(&identifier, &message.payload));
            }
        }
        for item in held {
            if subscription.takes(&item) {
                self.cable.counters.delivered.fetch_add(1, Relaxed);
                frames.push(item.frame);
            }
        }
        self.write(frames).await
    }

    /// Writes frames and flushes, unless the order to close comes first.
    async fn write(&mut self, frames: impl IntoIterator<Item = Bytes>) -> Result<(), End> {
        let Self {
            socket, mailbox, ..
        } = self;
        for frame in frames {
            poll_fn(|cx| {
                poll_open(mailbox, cx)?;
                Pin::new(&mut *socket).poll_ready(cx).map_err(|_| End::Gone)
            })
            .await?;
            socket
                .start_send_unpin(Outgoing::Text(frame))
                .map_err(|_| End::Gone)?;
        }
        poll_fn(|cx| {
            // Flushing first: what fits is sent, also if the order to close is there.
            let flushed = Pin::new(&mut *socket).poll_flush(cx).map_err(|_| End::Gone);
            if flushed.is_pending() {
                poll_open(mailbox, cx)?;
            }
            flushed
        })
        .await
    }
}

fn poll_open(mailbox: &Mailbox, cx: &mut Context<'_>) -> Result<(), End> {
    match mailbox.poll_closing(cx) {
        Poll::Ready(disconnect) => Err(End::Closing(disconnect, NORMAL)),
        Poll::Pending => Ok(()),
    }
}

/// Sends `disconnect`, closes, and waits for the client to close too.
pub(crate) async fn farewell<S, E>(
    socket: &mut S,
    disconnect: &Disconnect,
    code: u16,
    patience: Duration,
) where
    S: Stream<Item = Result<Incoming, E>> + Sink<Outgoing, Error = E> + Send + Unpin,
{
    let last = frame::disconnect(&disconnect.reason, disconnect.reconnect);
    let close = Outgoing::Close {
        code,
        reason: disconnect.reason.clone(),
    };
    let parting = async {
        socket.feed(Outgoing::Text(last)).await.ok()?;
        socket.send(close).await.ok()?;
        while let Some(Ok(frame)) = socket.next().await {
            if frame == Incoming::Close {
                break;
            }
        }
        Some(())
    };
    // Whoever does not close in time is cut off.
    let _ = tokio::time::timeout(patience, parting).await;
}
