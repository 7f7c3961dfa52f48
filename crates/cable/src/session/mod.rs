//! One connection: from welcome to send_disconnect.

mod catch_up;
mod command;
mod socket;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt};

use crate::application::Application;
use crate::frame::{self, Protocol};
use crate::identifier::Identifier;
use crate::inner::Inner;
use crate::mailbox::{Item, Mail, Mailbox};
use crate::options::Disconnect;
use crate::rate_limit::RateLimit;
use crate::subscription::Subscription;
use crate::task::{self, Outcome, Task};

pub use socket::{Incoming, Opening, Outgoing};
pub(crate) use socket::{NORMAL, send_disconnect};

/// Unanswered pings after which a client that used to answer counts as gone.
const MISSED_PONGS: u8 = 4;

/// Pings after which a session that can be resumed is marked as alive.
const TOUCH_EVERY: u8 = 10;

/// Why a session ends.
enum End {
    /// The client closed, or the transport broke.
    Gone,
    /// The server hangs up.
    Closing(Disconnect, u16),
}

pub(crate) struct Session<A: Application, S> {
    inner: Arc<Inner>,
    app: Arc<A>,
    connection: Arc<A::Connection>,
    protocol: Protocol,
    socket: S,
    mailbox: Arc<Mailbox>,
    subscriptions: Vec<Subscription>,
    /// The numbers of the subscriptions that are being made.
    pending: Range<u32>,
    /// Messages for subscriptions that are being made or are catching up.
    held: Vec<Item>,
    /// What the application is busy with for this connection.
    task: Option<Task>,
    /// Subscriptions that are to be told again what exists; or that all are.
    refresh: Refresh,
    /// The next frame, read while the application is busy.
    unread: Option<Incoming>,
    /// The name by which this session can be resumed.
    sid: Option<Box<str>>,
    welcomed: bool,
    /// Pings since the client's last pong, if it sends any.
    unanswered: Option<u8>,
    pings: u8,
    /// How often the client asks for something.
    rate: RateLimit,
    /// The number of the last transport ping.
    receipts: u32,
}

/// Who is to be told again what exists, after messages may have been lost.
#[derive(Debug, Default)]
enum Refresh {
    #[default]
    None,
    /// All, as soon as the application is not busy.
    All,
    /// These, by their numbers.
    These(Vec<u32>),
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
        inner: Arc<Inner>,
        app: Arc<A>,
        connection: A::Connection,
        opening: Opening,
        socket: S,
    ) -> Self {
        let mut session = Self {
            inner,
            app,
            connection: Arc::new(connection),
            protocol: opening.protocol,
            socket,
            mailbox: Arc::default(),
            subscriptions: Vec::new(),
            pending: 0..0,
            held: Vec::new(),
            task: None,
            refresh: Refresh::None,
            unread: None,
            sid: None,
            welcomed: false,
            unanswered: None,
            pings: 0,
            rate: RateLimit::default(),
            receipts: 0,
        };
        if opening.protocol == Protocol::V1ExtJson {
            // 128 random bits: who knows the name may try to resume the session.
            session.sid = Some(format!("{:032x}", rand::random::<u128>()).into());
            session.resume(opening.sid);
        }
        session
    }

    pub(crate) async fn run(mut self) {
        let tags = self.app.tags(&self.connection);
        let registration = self.inner.registry.register(&self.mailbox, tags);
        if self.inner.is_draining() {
            self.mailbox.close(Disconnect::server_restart());
        }
        let end = self.drive().await;
        if let Some(sid) = &self.sid {
            match &end {
                End::Closing(disconnect, _) if !disconnect.reconnect => {
                    self.inner.fanout.forget_session(sid);
                }
                _ => self.inner.fanout.touch_session(sid),
            }
        }
        let timeout = self.inner.options.close_timeout;
        match end {
            End::Closing(disconnect, code) => {
                Box::pin(send_disconnect(
                    &mut self.socket,
                    &disconnect,
                    code,
                    timeout,
                ))
                .await;
            }
            End::Gone => {
                let closing = tokio::time::timeout(timeout, self.socket.close());
                drop(Box::pin(closing).await);
            }
        }
        drop(registration);
        Box::pin(self.clean_up()).await;
    }

    /// Lets the application finish what it is busy with, and tells it what has ended.
    async fn clean_up(self) {
        let Self {
            app,
            connection,
            subscriptions,
            task,
            ..
        } = self;
        let mut ended: Vec<Identifier> = subscriptions
            .iter()
            .map(|subscription| subscription.identifier().clone())
            .collect();
        drop(subscriptions);
        if let Some(task) = task {
            match task.await {
                Outcome::Subscribed(granted) => ended.push(granted.identifier().clone()),
                Outcome::Resumed(granted) => {
                    ended.extend(granted.iter().map(|granted| granted.identifier().clone()));
                }
                _ => {}
            }
        }
        for identifier in &ended {
            // Boxed, so that the application's future is no part of every idle session.
            Box::pin(app.unsubscribed(&connection, identifier)).await;
        }
    }

    /// The life between welcome and send_disconnect. What is not done for every ping is boxed: it would
    /// otherwise be part of the memory of every idle connection.
    async fn drive(&mut self) -> End {
        // A session that is to be resumed is welcomed when it has been looked for.
        if self.task.is_none()
            && let Err(end) = self.welcome(Vec::new()).await
        {
            return end;
        }
        loop {
            let result = match self.next_event().await {
                Event::Mail(mail) => self.on_mail(mail).await,
                Event::Done(outcome) => Box::pin(self.on_outcome(outcome)).await,
                Event::Frame(Some(Ok(Incoming::Close) | Err(_)) | None) => Err(End::Gone),
                Event::Frame(Some(Ok(Incoming::TooLarge))) => Err(self.too_large()),
                Event::Frame(Some(Ok(Incoming::Pong(number)))) => {
                    self.received_up_to(number);
                    Ok(())
                }
                Event::Frame(Some(Ok(frame))) => {
                    self.unread = Some(frame);
                    Ok(())
                }
            };
            if let Err(end) = result {
                return end;
            }
            if self.task.is_none() {
                self.refresh_next();
            }
            if self.task.is_none()
                && let Some(frame) = self.unread.take()
                && let Err(end) = Box::pin(self.on_frame(frame)).await
            {
                return end;
            }
        }
    }

    async fn next_event(&mut self) -> Event<E> {
        let Self {
            mailbox,
            task,
            socket,
            unread,
            ..
        } = self;
        tokio::select! {
            mail = poll_fn(|cx| mailbox.poll_mail(cx)) => Event::Mail(mail),
            outcome = poll_fn(|cx| task::poll(task, cx)) => Event::Done(outcome),
            frame = socket.next(), if unread.is_none() => Event::Frame(frame),
        }
    }

    async fn on_mail(&mut self, mail: Mail) -> Result<(), End> {
        if let Some(disconnect) = mail.closing {
            return Err(End::Closing(disconnect, NORMAL));
        }
        let Mail {
            mut items,
            ping,
            refresh,
            ..
        } = mail;
        if refresh {
            self.refresh = Refresh::All;
        }
        let ping = ping.filter(|_| self.welcomed);
        let mut late = Vec::new();
        if ping.is_some() {
            self.on_ping(&mut late)?;
        }
        let mut sorted = Ok(());
        items.retain(|item| {
            sorted.is_ok()
                && self.should_send(item).unwrap_or_else(|end| {
                    sorted = Err(end);
                    false
                })
        });
        sorted?;
        // Nothing is gathered: what most connections hear most of the time is one frame.
        for frame in ping.into_iter().chain(late) {
            self.feed(frame).await?;
        }
        for item in &items {
            self.feed(item.frame.clone()).await?;
        }
        self.flush().await?;
        self.count_latencies(&items);
        Ok(())
    }

    fn count_latencies(&self, items: &VecDeque<Item>) {
        if !items.is_empty() {
            let now = self.inner.options.clock.now();
            for sent in items.iter().filter_map(|item| item.note.sent) {
                self.inner.counters.took(now.saturating_sub(sent));
            }
        }
    }

    /// The ping is also the session's own clock.
    fn on_ping(&mut self, frames: &mut Vec<Bytes>) -> Result<(), End> {
        self.check()?;
        if let Some(unanswered) = &mut self.unanswered {
            *unanswered += 1;
            if *unanswered > MISSED_PONGS {
                self.inner.counters.no_pongs.fetch_add(1, Relaxed);
                return Err(End::Closing(Disconnect::no_pong(), NORMAL));
            }
        }
        self.pings = (self.pings + 1) % TOUCH_EVERY;
        if self.pings == 0
            && let Some(sid) = &self.sid
        {
            self.inner.fanout.touch_session(sid);
        }
        self.stop_waiting(frames);
        Ok(())
    }

    /// Whether the application lets the connection go on.
    fn check(&self) -> Result<(), End> {
        let checked = self.app.check(&self.connection);
        checked.map_err(|disconnect| End::Closing(disconnect, NORMAL))
    }

    /// Whether a message from the hub goes out; if not, it is held for a subscription that is not
    /// ready for it, or not wanted because its subscription has ended or already had it.
    fn should_send(&mut self, item: &Item) -> Result<bool, End> {
        let found = self
            .subscriptions
            .iter_mut()
            .find(|s| s.number() == item.subscription);
        let held = self.pending.contains(&item.subscription)
            || found
                .as_ref()
                .is_some_and(|subscription| subscription.is_behind());
        if held {
            if self.held.len() >= self.inner.options.queue_messages {
                self.inner.counters.slow_readers.fetch_add(1, Relaxed);
                return Err(End::Closing(Disconnect::too_slow(), NORMAL));
            }
            self.held.push(item.clone());
        } else if let Some(subscription) = found
            && subscription.accepts(&item.note)
        {
            self.inner.counters.delivered.fetch_add(1, Relaxed);
            return Ok(true);
        }
        Ok(false)
    }

    /// Writes frames and flushes, unless the order to close comes first.
    async fn write<F: Into<Outgoing>>(
        &mut self,
        frames: impl IntoIterator<Item = F>,
    ) -> Result<(), End> {
        for frame in frames {
            self.feed(frame).await?;
        }
        self.flush().await
    }

    async fn feed(&mut self, frame: impl Into<Outgoing>) -> Result<(), End> {
        let Self {
            socket, mailbox, ..
        } = self;
        poll_fn(|cx| {
            poll_open(mailbox, cx)?;
            Pin::new(&mut *socket).poll_ready(cx).map_err(|_| End::Gone)
        })
        .await?;
        socket.start_send_unpin(frame.into()).map_err(|_| End::Gone)
    }

    async fn flush(&mut self) -> Result<(), End> {
        let Self {
            socket, mailbox, ..
        } = self;
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

    /// The first frame; with the identifiers of the subscriptions that were resumed.
    async fn welcome(&mut self, resumed: Vec<Identifier>) -> Result<(), End> {
        self.welcomed = true;
        let frame = match &self.sid {
            Some(sid) => frame::welcome_session(sid, &resumed),
            None => frame::welcome(),
        };
        self.write([frame]).await
    }
}

fn poll_open(mailbox: &Mailbox, cx: &mut Context<'_>) -> Result<(), End> {
    match mailbox.poll_closing(cx) {
        Poll::Ready(disconnect) => Err(End::Closing(disconnect, NORMAL)),
        Poll::Pending => Ok(()),
    }
}
